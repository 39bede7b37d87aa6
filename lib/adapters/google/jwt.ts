// What a JWT says of itself. Nothing here is verified: it is our own token, from whoever issued it to us.

/** Its `exp` (RFC 7519, 4.1.4), undefined where it has none or is no JWT. */
export function jwtExpiry(token: string): Date | undefined {
  const { exp } = claimsOf(token);
  return typeof exp === 'number' && exp > 0 ? new Date(exp * 1000) : undefined;
}

/** The claims, empty where it is no JWT. */
function claimsOf(token: string): Record<string, unknown> {
  const [, payload = ''] = token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    // Not a JWT: it has no claims.
    return {};
  }
}
