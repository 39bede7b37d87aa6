import { describe, expect, test } from 'vitest';
import { createUnverifiedLimit, networkOf } from '../../../lib/functions/unverified-limit.ts';
import type { Policy } from '../../../lib/policy/policy.ts';
import { readPolicy } from '../../../lib/policy/read-policy.ts';
import { type FunctionWorld, functionWorld } from '../../support/function-world.ts';

const rates = {
  lists: { perSecond: 1_000, burst: 1_000 },
  tokens: { perSecond: 1_000, burst: 1_000 },
  unverified: { perSecond: 0.5, burst: 3 },
};
const settings = { tokensUrl: 'https://t', tokensAudience: 'https://t', corsOrigins: [], rates };
const policy: Policy = await readPolicy(
  "version: 1\nrules: [{name: r, grant: clusters, callers: ['*@example.com'], clusters: ['*']}]\n",
  'policy.yaml',
);

const LIST = 'GET /v1/clusters';
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const exchange = (token: string): string =>
  new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    resource: '//iam.googleapis.com/projects/-/serviceAccounts/a@p-12345.iam.gserviceaccount.com',
  }).toString();

describe('requests without a valid token', () => {
  const world = (): FunctionWorld => functionWorld(policy, { services: { settings } });
  const bad = (it: FunctionWorld, from = '192.0.2.1') => it.ask(LIST, { as: 'nobody', from });
  async function flood(it: FunctionWorld): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await bad(it);
  }

  test('are told to come later, in the one shape, when too many come from an address', async () => {
    const it = world();
    const statuses: number[] = [];
    for (const ask of [
      () => bad(it),
      () => it.ask(LIST, { as: null }),
      () => it.ask('POST /v1/token', { as: null, headers: form, body: exchange('nobody') }),
    ]) {
      statuses.push((await ask()).status);
    }
    expect(statuses).toEqual([401, 401, 401]);
    const late = await bad(it);
    expect(late).toMatchObject({
      status: 429,
      headers: { 'content-type': 'application/problem+json', 'retry-after': '2' },
      json: { type: 'https://mk8s.dev/problems/too-many-requests' },
    });
    const post = await it.ask('POST /v1/token', { as: null, headers: form, body: exchange('nobody') });
    expect(post.status).toBe(429);
    expect((await it.ask('POST /v1/token', { as: null, headers: form, body: 'nonsense' })).status).toBe(429);
    expect((await it.ask('GET /docs', { as: null })).status).toBe(429);
    it.now += 2_000;
    expect((await bad(it)).status).toBe(401);
    expect((await bad(it)).status).toBe(429);
  });

  test('take nothing from a caller who is known, whatever address they share', async () => {
    const it = world();
    await flood(it);
    expect((await it.ask(LIST)).status).toBe(200);
    const own = await it.ask('POST /v1/token', { as: null, headers: form, body: exchange('alice~example.com') });
    expect(own.status).toBe(403);
    // And he takes nothing from the others who share it.
    const second = world();
    for (let turn = 0; turn < 20; turn += 1) await second.ask(LIST);
    for (let turn = 0; turn < 20; turn += 1) await second.ask('GET /v1/clusters/nope');
    expect((await bad(second)).status).toBe(401);
  });

  test('take nothing from other addresses, nor from those who look at the health', async () => {
    const it = world();
    await flood(it);
    expect((await bad(it, '192.0.2.2')).status).toBe(401);
    for (const path of ['/healthz', '/readyz']) expect((await it.ask(`GET ${path}`, { as: null })).status).toBe(200);
  });

  test('are a line each in the audit log until there are too many, and then one for the flood', async () => {
    const it = world();
    await flood(it);
    expect(it.audit.map(({ reason, peer }) => [reason, peer])).toEqual([
      ['signature', undefined],
      ['signature', undefined],
      ['signature', undefined],
      [expect.stringContaining('too many requests without a valid token'), '192.0.2.1'],
    ]);
    it.now += 2_000;
    await flood(it);
    expect(it.audit.slice(4).map(({ peer }) => peer)).toEqual([undefined]);
    it.now += 10_000;
    await flood(it);
    expect(it.audit.slice(5).map(({ peer }) => peer)).toEqual([undefined, undefined, undefined, '192.0.2.1']);
  });

  test('are not counted where the keys of the issuer cannot be read: that is not theirs', async () => {
    const { Mk8sError } = await import('../../../lib/model/errors.ts');
    const down = { verify: () => Promise.reject(new Mk8sError('down', { code: 'unreachable', retryable: true })) };
    const it = functionWorld(policy, { services: { settings, verifier: down } });
    for (let turn = 0; turn < 20; turn += 1) expect((await it.ask(LIST)).status).toBe(503);
  });
});

describe('the table of addresses', () => {
  test('has as many buckets after any number of addresses as before, and refuses a flood of them all together', () => {
    const limit = createUnverifiedLimit({ perSecond: 1, burst: 1 }, { now: () => 0 }, 'salt');
    let given = 0;
    for (let n = 0; n < 50_000; n += 1) if (limit.take(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`).ok) given += 1;
    expect(given).toBe(4_096);
  });

  test('takes a clock that goes back for one that stands still', () => {
    let now = 10_000;
    const limit = createUnverifiedLimit({ perSecond: 1, burst: 1 }, { now: () => now }, 'salt');
    expect(limit.take('a')).toEqual({ ok: true });
    now = 0;
    expect(limit.take('a')).toEqual({ ok: false, retryAfterSeconds: 1, first: true });
    expect(limit.take('a')).toEqual({ ok: false, retryAfterSeconds: 1, first: false });
    now = 1_000;
    expect(limit.take('a')).toEqual({ ok: true });
  });

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['1:2::4:5:6:192.0.2.7', '1:2:0:4::/64'],
    ['', ''],
  ])('takes %s for %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
