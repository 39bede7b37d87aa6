// The parts of a signed JWT, read strictly (RFC 7515, RFC 7519): one encoding for one token, and no claim twice.
import { parseStrictJson } from '../../model/strict-json.ts';

export interface SignedJwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What was signed. */
  readonly content: Buffer;
  readonly signature: Buffer;
}

/** Google's are about 1 KiB. */
export const MOST_CHARACTERS = 8_192;

/** Undefined for what is not three parts of canonical base64url of which two are JSON objects. */
export function parseJwt(token: string): SignedJwt | undefined {
  if (token.length > MOST_CHARACTERS) return undefined;
  const parts = token.split('.');
  const [header = '', claims = '', signature = ''] = parts;
  if (parts.length !== 3) return undefined;
  const decoded = [header, claims, signature].map(decode);
  const [headerBytes, claimBytes, signatureBytes] = decoded;
  if (headerBytes === undefined || claimBytes === undefined || signatureBytes === undefined) return undefined;
  const [headerValue, claimValue] = [objectOf(headerBytes), objectOf(claimBytes)];
  if (headerValue === undefined || claimValue === undefined) return undefined;
  const content = Buffer.from(`${header}.${claims}`, 'latin1');
  return { header: headerValue, claims: claimValue, content, signature: signatureBytes };
}

/** Node's decoder passes over what is no base64url; what it gives back must therefore be what came in. */
function decode(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined;
}

function objectOf(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  const parsed = parseStrictJson(bytes);
  return 'value' in parsed && typeof parsed.value === 'object' && parsed.value !== null && !Array.isArray(parsed.value)
    ? (parsed.value as Record<string, unknown>)
    : undefined;
}
