// Tokens that are kept: how often their source is asked, and what it may ask of time.
import { describe, expect, test } from 'vitest';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { Token } from '../../../lib/model/token.ts';
import type { TokenRequest } from '../../../lib/ports/token-source.ts';
import { keepTokens } from '../../../lib/tokens/kept-tokens.ts';
import { createScriptedClock, idle } from '../../support/scripted-clock.ts';

const HOUR = 3_600_000;
const access: TokenRequest = { kind: 'access' };

function world(answer: (asked: number, now: number) => Promise<Token> = fromNow) {
  const clock = createScriptedClock();
  const asked: string[] = [];
  const source = {
    identity: 'somebody',
    get(request: TokenRequest) {
      asked.push(request.kind === 'identity' ? request.audience : `access ${(request.scopes ?? []).join('+')}`);
      return answer(asked.length, clock.now());
    },
  };
  const tokens = keepTokens(source, { clock, random: () => 0.5 });
  /** Lets this much time pass. */
  async function pass(ms: number): Promise<void> {
    const over = clock.sleep(ms);
    clock.jump();
    await over;
    await idle();
  }
  return { clock, asked, tokens, pass };
}

const fromNow = (asked: number, now: number): Promise<Token> =>
  Promise.resolve(new Token(`token-${asked}`, new Date(now + HOUR)));
const busy = (retryAfterMs?: number): Mk8sError =>
  new Mk8sError('busy', {
    code: 'credentials',
    retryable: true,
    status: 429,
    ...(retryAfterMs ? { retryAfterMs } : {}),
  });

describe('kept tokens', () => {
  test('are asked for once by concurrent callers, and once for each audience and set of scopes', async () => {
    const { tokens, asked } = world();
    const both = await Promise.all([tokens.get(access), tokens.get(access)]);
    expect(both.map(({ token }) => token)).toEqual(['token-1', 'token-1']);
    await tokens.get({ kind: 'identity', audience: 'a' });
    await tokens.get({ kind: 'identity', audience: 'b' });
    await tokens.get({ kind: 'access', scopes: ['y', 'x'] });
    await tokens.get({ kind: 'access', scopes: ['x', 'y'] });
    expect(asked).toEqual(['access ', 'a', 'b', 'access y+x']);
  });

  test('are replaced ahead of their expiry, without anyone waiting for it', async () => {
    const { tokens, asked, pass } = world();
    await tokens.get(access);
    await pass(HOUR - 230_000);
    expect((await tokens.get(access)).token).toBe('token-1');
    expect(asked).toHaveLength(1);
    await pass(10_000);
    expect((await tokens.get(access)).token).toBe('token-1');
    await idle();
    expect((await tokens.get(access)).token).toBe('token-2');
  });

  test('serve on while a refresh ahead of time fails, and the error is told once they are spent', async () => {
    const { tokens, asked, pass } = world((count, now) =>
      count === 1 ? fromNow(1, now) : Promise.reject(new Mk8sError('denied', { code: 'credentials' })),
    );
    await tokens.get(access);
    await pass(HOUR - 200_000);
    expect((await tokens.get(access)).token).toBe('token-1');
    await idle();
    expect((await tokens.get(access)).token).toBe('token-1');
    expect(asked).toHaveLength(2);
    await pass(31_000);
    await tokens.get(access);
    expect(asked).toHaveLength(3);
    await pass(140_000);
    await expect(tokens.get(access)).rejects.toThrow('denied');
  });

  test('are asked for anew where a server refused them', async () => {
    const { tokens } = world();
    await tokens.get(access);
    expect((await tokens.get(access, { fresh: true })).token).toBe('token-2');
    expect((await tokens.get(access)).token).toBe('token-2');
  });

  test('are asked for again where the issuer is busy, as long as it says, and not where it refuses', async () => {
    const { tokens, asked, clock } = world((count, now) =>
      count < 3 ? Promise.reject(busy(count === 1 ? 7_000 : undefined)) : fromNow(count, now),
    );
    const start = clock.now();
    const token = tokens.get(access);
    await idle();
    clock.jump();
    expect(clock.now() - start).toBe(7_000);
    await idle();
    clock.jump();
    expect((await token).token).toBe('token-3');
    expect(asked).toHaveLength(3);
    const denied = world(() => Promise.reject(new Mk8sError('denied', { code: 'credentials' })));
    await expect(denied.tokens.get(access)).rejects.toThrow('denied');
    expect(denied.asked).toHaveLength(1);
  });

  test('are given up after five attempts, and at once where the issuer wants more patience than a caller has', async () => {
    const { tokens, asked, clock } = world(() => Promise.reject(busy()));
    const token = tokens.get(access).catch((error: unknown) => error);
    for (let turn = 0; turn < 20; turn += 1) {
      await idle();
      clock.jump();
    }
    expect(await token).toMatchObject({ status: 429 });
    expect(asked).toHaveLength(5);
    const long = world(() => Promise.reject(busy(120_000)));
    await expect(long.tokens.get(access)).rejects.toThrow('busy');
    expect(long.asked).toHaveLength(1);
  });

  test('leave one who no longer waits alone', async () => {
    const { tokens, asked } = world(() => new Promise(() => undefined));
    const leaving = new AbortController();
    const token = tokens.get(access, { signal: leaving.signal });
    leaving.abort(new Error('the run ended'));
    await expect(token).rejects.toThrow('the run ended');
    expect(asked).toHaveLength(1);
  });

  test('promise 9: a token does not show in what is printed or stored', () => {
    const token = new Token('secret-token', new Date(0));
    expect(`${JSON.stringify({ token })} ${Object.values(token).join()}`).not.toContain('secret-token');
    expect(token.toJSON()).toEqual({ token: 'REDACTED', expiresAt: new Date(0) });
  });
});
