import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { getJson } from '../../../lib/adapters/http/get-json.ts';
import { type IdTokenVerifier, verifyIdTokens } from '../../../lib/adapters/oidc/id-tokens.ts';
import type { FetchJson } from '../../../lib/adapters/oidc/key-set.ts';
import {
  type FakeIssuer,
  issuerKey,
  part,
  signed,
  signedWithPublicKey,
  startFakeIssuer,
} from '../../support/fake-issuer.ts';

const AUDIENCE = 'https://tokens.example.com';

describe('an ID token', () => {
  let issuer: FakeIssuer;
  let other: FakeIssuer;
  let verifier: IdTokenVerifier;
  let time: number;

  beforeAll(async () => {
    issuer = await startFakeIssuer();
    other = await startFakeIssuer();
  });
  afterAll(async () => {
    await issuer[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    time = Date.now();
    issuer.fail(false);
    verifier = fresh();
  });

  const fresh = (fetchJson: FetchJson = getJson) =>
    verifyIdTokens({
      issuers: [{ issuer: issuer.issuer }],
      audiences: [AUDIENCE, 'https://also.example.com'],
      fetchJson,
      now: () => time,
    });
  const header = (over: object = {}) => part({ alg: 'RS256', kid: 'none', typ: 'JWT', ...over });
  const verified = async (token: string) => await verifier.verify(token);

  test('that holds tells who calls, with RS256 and ES256, and for any of the audiences', async () => {
    const caller = { issuer: issuer.issuer, subject: '1234567890', email: 'alice@example.com' };
    expect(await verified(issuer.token(AUDIENCE))).toMatchObject({ caller });
    expect(await verified(issuer.token('https://also.example.com'))).toMatchObject({ caller });
    expect(await verified(issuer.token(AUDIENCE, { claims: { aud: [AUDIENCE] } }))).toMatchObject({ caller });
    const key = issuer.rotate({ alg: 'ES256' });
    verifier = fresh();
    expect(await verified(issuer.token(AUDIENCE, { key }))).toMatchObject({ caller });
    expect(await verified(issuer.token(AUDIENCE, { without: ['email', 'email_verified'] }))).toEqual({
      caller: { issuer: issuer.issuer, subject: '1234567890' },
      expiresAt: expect.any(Number) as number,
    });
  });

  test.each<[string, () => string, string]>([
    ['that is no JWT', () => 'abc', 'malformed'],
    ['of four parts', () => `${issuer.token(AUDIENCE)}.x`, 'malformed'],
    ['with another encoding of its signature', () => `${issuer.token(AUDIENCE)}=`, 'malformed'],
    ['with a claim twice', () => doubled(), 'malformed'],
    ['with a critical extension', () => issuer.token(AUDIENCE, { header: { crit: ['b64'], b64: false } }), 'malformed'],
    ['without a key id', () => issuer.token(AUDIENCE, { header: { kid: undefined } }), 'malformed'],
    ['that is too large', () => issuer.token(AUDIENCE, { claims: { filler: 'x'.repeat(9_000) } }), 'too-large'],
    ['with alg none', () => `${header({ alg: 'none' })}.${claimsOf(issuer.token(AUDIENCE))}.`, 'malformed'],
    ['with alg none and a signature', () => issuer.token(AUDIENCE, { header: { alg: 'none' } }), 'algorithm'],
    ['with alg nOnE', () => issuer.token(AUDIENCE, { header: { alg: 'nOnE' } }), 'algorithm'],
    ['with HS256 and the public key', () => confused(), 'algorithm'],
    ['that calls its RSA key ES256', () => issuer.token(AUDIENCE, { header: { alg: 'ES256' } }), 'algorithm'],
    ['of another issuer', () => other.token(AUDIENCE), 'unknown-issuer'],
    [
      'of another issuer that names ours',
      () => other.token(AUDIENCE, { claims: { iss: issuer.issuer } }),
      'unknown-key',
    ],
    ['signed by a stranger with a known key id', () => forged(), 'signature'],
    ['that was changed', () => changed(), 'signature'],
    ['that Cloud Run took the signature from', () => removed(), 'signature-removed'],
    ['for another audience', () => issuer.token('https://lists.example.com'), 'audience'],
    ['for an audience that begins as ours', () => issuer.token(`${AUDIENCE}.evil.example`), 'audience'],
    ['for two audiences', () => issuer.token(AUDIENCE, { claims: { aud: [AUDIENCE, 'https://x'] } }), 'audience'],
    ['for no audience', () => issuer.token(AUDIENCE, { without: ['aud'] }), 'audience'],
    ['that has expired', () => issuer.token(AUDIENCE, { now: Date.now() / 1000 - 4_000 }), 'expired'],
    [
      'that is not valid yet',
      () => issuer.token(AUDIENCE, { claims: { nbf: Date.now() / 1000 + 120 } }),
      'not-yet-valid',
    ],
    ['of the future', () => issuer.token(AUDIENCE, { now: Date.now() / 1000 + 120 }), 'not-yet-valid'],
    ['that never expires', () => issuer.token(AUDIENCE, { without: ['exp'] }), 'claims'],
    ['that expires at a word', () => issuer.token(AUDIENCE, { claims: { exp: '9999999999' } }), 'claims'],
    ['without a subject', () => issuer.token(AUDIENCE, { without: ['sub'] }), 'claims'],
    [
      'with an unverified address',
      () => issuer.token(AUDIENCE, { claims: { email_verified: false } }),
      'email-not-verified',
    ],
    [
      'with an address verified by a word',
      () => issuer.token(AUDIENCE, { claims: { email_verified: 'true' } }),
      'email-not-verified',
    ],
    [
      'with an address of look-alikes',
      () => issuer.token(AUDIENCE, { claims: { email: 'аlice@example.com' } }),
      'claims',
    ],
  ])('%s is refused', async (_, make, refusal) => {
    expect(await verified(make())).toEqual({ refusal });
  });

  const claimsOf = (token: string) => token.split('.')[1] ?? '';
  const doubled = () => {
    const key = issuer.rotate();
    const json = Buffer.from(claimsOf(issuer.token('https://x', { key })), 'base64url').toString();
    return signed(`${header({ kid: key.kid })}.${part(json.replace('{', `{"aud":"${AUDIENCE}",`))}`, key);
  };
  const confused = () => {
    const key = issuer.rotate();
    return signedWithPublicKey(
      `${header({ alg: 'HS256', kid: key.kid })}.${claimsOf(issuer.token(AUDIENCE, { key }))}`,
      key,
    );
  };
  const forged = () => {
    const key = issuer.rotate();
    return issuer.token(AUDIENCE, { key: { ...issuerKey(), kid: key.kid } });
  };
  const changed = () => {
    const [head = '', claims = '', signature = ''] = issuer.token(AUDIENCE).split('.');
    const value = JSON.parse(Buffer.from(claims, 'base64url').toString()) as object;
    return [head, part({ ...value, email: 'root@example.com' }), signature].join('.');
  };
  const removed = () => issuer.token(AUDIENCE).replace(/[^.]+$/, 'SIGNATURE_REMOVED_BY_GOOGLE');

  test('signed with a key that came after the last reading holds, once the keys may be read again', async () => {
    expect(await verified(issuer.token(AUDIENCE))).toHaveProperty('caller');
    const key = issuer.rotate();
    const readings = issuer.readings();
    // Key ids are free to make up, so they do not make it ask at once.
    for (let n = 0; n < 20; n += 1)
      expect(await verified(issuer.token(AUDIENCE, { key }))).toEqual({ refusal: 'unknown-key' });
    expect(issuer.readings()).toBe(readings);
    time += 31_000;
    expect(await verified(issuer.token(AUDIENCE, { key }))).toHaveProperty('caller');
    expect(issuer.readings()).toBe(readings + 1);
  });

  test('signed with a key that was withdrawn holds no longer than the issuer said', async () => {
    const old = issuer.rotate();
    const token = issuer.token(AUDIENCE, { key: old });
    expect(await verified(token)).toHaveProperty('caller');
    issuer.rotate({ only: true });
    time += 599_000;
    expect(await verified(token)).toHaveProperty('caller');
    time += 2_000;
    expect(await verified(token)).toEqual({ refusal: 'unknown-key' });
  });

  test('holds while the issuer is down, an hour past the age of its keys at most', async () => {
    const token = issuer.token(AUDIENCE, { claims: { exp: Date.now() / 1000 + 90_000 } });
    expect(await verified(token)).toHaveProperty('caller');
    issuer.fail(true);
    time += 1_200_000;
    expect(await verified(token)).toHaveProperty('caller');
    time += 3_600_000;
    await expect(verified(token)).rejects.toMatchObject({ code: 'unreachable', retryable: true });
  });

  test('of an issuer whose keys cannot be read is neither good nor bad: it is an error without the token', async () => {
    issuer.fail(true);
    const token = issuer.token(AUDIENCE);
    const error = await verified(token).then(String, (thrown: Error) => `${thrown.message} ${thrown.stack ?? ''}`);
    expect(error).toContain(`Cannot read the keys of issuer ${issuer.issuer}`);
    expect(error).not.toContain(token.slice(0, 40));
  });

  test('needs no reading where the keys were read ahead, and joins a reading that is under way', async () => {
    const before = issuer.readings();
    const warming = verifier.warm();
    expect(await verified(issuer.token(AUDIENCE))).toHaveProperty('caller');
    await warming;
    expect(issuer.readings() - before).toBe(1);
    verifier = fresh();
    await verifier.warm();
    expect(issuer.readings() - before).toBe(2);
    expect(await verified(issuer.token(AUDIENCE))).toHaveProperty('caller');
    expect(await verified(issuer.token(AUDIENCE, { key: issuerKey() }))).toEqual({ refusal: 'unknown-key' });
    expect(issuer.readings() - before).toBe(2);
  });

  test('has the keys read again at once where they could not be read ahead', async () => {
    issuer.fail(true);
    await verifier.warm();
    await expect(verified(issuer.token(AUDIENCE))).rejects.toThrow('Cannot read the keys of issuer');
    verifier = fresh();
    await verifier.warm();
    issuer.fail(false);
    expect(await verified(issuer.token(AUDIENCE))).toHaveProperty('caller');
  });

  test('that came while the keys were read ahead does not fail with that reading', async () => {
    const results = [Promise.reject(new Error('down'))];
    verifier = fresh(async (url, signal) => await (results.pop() ?? getJson(url, signal)));
    const [, verification] = await Promise.all([verifier.warm(), verified(issuer.token(AUDIENCE))]);
    expect(verification).toHaveProperty('caller');
  });

  test('of many callers at once reads the keys once', async () => {
    const readings = issuer.readings();
    const all = await Promise.all(Array.from({ length: 50 }, () => verified(issuer.token(AUDIENCE))));
    expect(all.every((each) => 'caller' in each)).toBe(true);
    expect(issuer.readings()).toBe(readings + 1);
  });
});
