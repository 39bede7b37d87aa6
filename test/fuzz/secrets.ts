// Secrets that inputs carry, to be looked for where they must not be.

/** Words that stand nowhere else. */
export const SECRETS: readonly string[] = ['S3CR3T-abcdefgh', 'eyJhbGciOi.S3CR3T', 'UzNDUjNULWtleQ'];

const KEYS = /(?:token|password|data|value|access-token|clientKeyData)["']?\s*[:=]\s*\S?$/;

/**
 * The secrets of an input that are kept where secrets belong, all times they occur: one that damage has made the name of
 * something is no longer known to be one.
 */
export function secretsOf(input: Buffer): readonly string[] {
  const text = input.toString('latin1');
  return SECRETS.filter((secret) => {
    const before = text.split(secret).slice(0, -1);
    return before.length > 0 && before.every((part) => KEYS.test(part.slice(-40)));
  });
}
