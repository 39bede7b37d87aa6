// So many requests a second of nobody we know, for each address they come from: a table of buckets that is made once and does not grow.
//
// It counts after the verification, and only what that refused. The other way round would be cheaper by the check of a signature (0.2 ms),
// and whoever shares an address with a flood (a company's way out, a front end) could then be refused with a good token in the hand: the
// flood would have done what it came for. So a caller who is known is never looked up here. What the limit saves is what comes after
// the verification: a line in the audit log for each, and answers that a broken client would take for final.
import { hash, randomUUID } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import { refilled, secondsUntilOne } from './rate-limit.ts';
import type { Rate } from './services.ts';

export interface UnverifiedLimit {
  /** Takes one; else the seconds after which there is one again, and whether it is the first that is refused of this flood. */
  take(
    peer: string,
  ): { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number; readonly first: boolean };
}

/** 68 KiB in all. Addresses whose hash meets share a bucket, which costs nobody who is known anything. */
const BUCKETS = 4_096;

/** `salt`: so that nobody can tell which addresses meet. */
export function createUnverifiedLimit(
  rate: Rate,
  clock: Pick<Clock, 'now'>,
  salt: string = randomUUID(),
): UnverifiedLimit {
  const left = new Float64Array(BUCKETS).fill(rate.burst);
  const at = new Float64Array(BUCKETS).fill(clock.now());
  const refusing = new Uint8Array(BUCKETS);
  return {
    take(peer) {
      const digest = hash('sha256', `${salt}\n${networkOf(peer)}`, 'buffer');
      const index = digest.readUInt32BE() % BUCKETS;
      const now = clock.now();
      const there = refilled(rate, left[index] ?? 0, now - (at[index] ?? now));
      at[index] = now;
      const ok = there >= 1;
      left[index] = ok ? there - 1 : there;
      // A flood that goes on takes what trickles in: it is over when half of the bucket is there again.
      if (there >= rate.burst / 2) refusing[index] = 0;
      const first = !ok && refusing[index] === 0;
      if (first) refusing[index] = 1;
      return ok ? { ok } : { ok, first, retryAfterSeconds: secondsUntilOne(rate, there) };
    },
  };
}

/** What one site has: an IPv4 address, or the first 64 bits of an IPv6 address, of which a host has as many as it likes (RFC 4291, 2.5.4). */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return plain;
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain) ?? [];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = plain.split('::');
  const groups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  // An IPv4 address at the end takes the place of two groups.
  const after = groups(tail ?? '').length + (plain.includes('.') ? 1 : 0);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups(head).length - after);
  const all = [...groups(head), ...Array.from({ length: zeros }, () => '0'), ...groups(tail ?? '')];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
