// Who may ask at all. What answers here gives tokens away, so a request has to show that a program made it, on purpose and from
// near by: not a web page (whose scripts cannot set Metadata-Flavor across origins, and whose Host is a name of their own
// after DNS rebinding), and not a proxy that was tricked into forwarding.
// Source: https://cloud.google.com/compute/docs/metadata/querying-metadata#metadata_server_security
import { isIP } from 'node:net';

/** The names under which clients know a metadata server. */
const NAMES: ReadonlySet<string> = new Set(['localhost', 'metadata.google.internal', 'metadata']);

export interface Refusal {
  readonly status: 400 | 403 | 405;
  /** A sentence. */
  readonly message: string;
}

/** The headers of a request as node:http has them: lower-case names. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Why this request is not answered; undefined where it is. */
export function refusalOf(method: string, headers: RequestHeaders): Refusal | undefined {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, message: `Method ${method} is not allowed.` };
  if (headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined) {
    return { status: 403, message: 'Requests with an X-Forwarded-For header are refused.' };
  }
  if (!isNear(headers['host'])) {
    return {
      status: 403,
      message: 'The Host header must be an IP address, localhost or metadata.google.internal.',
    };
  }
  if (headers['metadata-flavor'] !== 'Google') {
    return { status: 403, message: 'Missing Metadata-Flavor:Google header.' };
  }
  return undefined;
}

/** An address cannot be rebound: whoever names one means it. */
function isNear(host: string | readonly string[] | undefined): boolean {
  if (typeof host !== 'string') return false;
  const { name = '' } = /^(?<name>\[[0-9a-f:.]+\]|[^:]+)(?::\d{1,5})?$/i.exec(host)?.groups ?? {};
  const bare = name.replace(/\.$/, '').toLowerCase();
  return NAMES.has(bare) || isIP(bare) !== 0 || (bare.startsWith('[') && isIP(bare.slice(1, -1)) === 6);
}
