// What patterns of a policy match. Each kind has its own alphabet for `*`, so that a pattern cannot reach over a boundary of
// what it describes: not from a host into a path, not over the @ of an address.
import { glob } from '../model/glob.ts';

/** Lower case of A to Z only: other letters have look-alikes that fold into them. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Names and ids of clusters, namespaces and service accounts: `*` is any text. */
export function matchesName(pattern: string, text: string): boolean {
  return glob(pattern)(text);
}

/** `*` is text without an @. */
export function matchesEmail(pattern: string, email: string): boolean {
  return compiled(lowerAscii(pattern), '[^@\\s]+').test(email);
}

/** `*` is what may stand between the dots and slashes of a URL; it never crosses one of them but the dot. */
export function matchesAudience(pattern: string, audience: string): boolean {
  return compiled(pattern, '[A-Za-z0-9._~-]+').test(audience);
}

/** How narrow a pattern is: an exact one before all patterns, then by the characters that stand. */
export function narrowness(pattern: string): number {
  return pattern.includes('*') ? pattern.replaceAll('*', '').length : 10_000 + pattern.length;
}

const cache = new Map<string, RegExp>();

/** Patterns come from the policy alone, so there are only so many; its schema allows two stars in one, so matching is quick. */
function compiled(pattern: string, star: string): RegExp {
  const key = `${star}\n${pattern}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const parts = pattern.split(/\*+/).map((part) => part.replace(/[\\^$.|?*+()[\]{}/]/g, '\\$&'));
  const made = new RegExp(`^(?:${parts.join(star)})$`, 's');
  cache.set(key, made);
  return made;
}
