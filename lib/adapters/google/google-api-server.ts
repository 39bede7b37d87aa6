// An API server behind Google's front door (Connect Gateway, a cluster's DNS endpoint): what Google itself refuses, before the
// cluster is asked, is told as Kubernetes would tell it, with the command that helps.
import type { ApiResponse, ApiServer } from '../../ports/api-server.ts';
import type { TokenSource } from '../../ports/token-source.ts';
import { type Access, accessAdvice } from '../google-api/google-advice.ts';
import { type Refusal, refusalOf } from '../google-api/google-error.ts';

/** Answers that Google's front door gives by itself; others are the cluster's. */
const REFUSALS = new Set([400, 401, 403, 404, 429, 503]);
/** An error of Google's is a few hundred bytes; what is longer is not one. */
const MOST_BYTES = 64 * 1024;

/** `api` with errors of the form `{error: {code, message, status}}` as a Kubernetes Status whose message says who was refused what. */
export function explainedApiServer(api: ApiServer, access: Access, tokens: TokenSource): ApiServer {
  return {
    ...api,
    async request(request) {
      const response = await api.request(request);
      if (!REFUSALS.has(response.status) || !(response.headers['content-type'] ?? '').includes('json')) return response;
      const read = await readAhead(response);
      const text = read.whole ? Buffer.concat(read.chunks).toString('utf8') : '';
      const refusal = refusalOf(response.status, text);
      if (refusal === undefined) return { ...response, body: read.body };
      return { ...response, body: bodyOf([Buffer.from(JSON.stringify(statusOf(refusal, access, tokens)))]) };
    },
  };
}

function statusOf(refusal: Refusal, access: Access, tokens: TokenSource): object {
  const { status, reason = '', message } = refusal;
  const help = accessAdvice(access, tokens)(refusal);
  const said = `${access.api}.googleapis.com refused ${tokens.identity}: ${message.replace(/\.$/, '')}`;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code: status,
    // Google's own word, which is none of Kubernetes': who asks for the cluster's own refusal does not take it for one.
    reason,
    message: help === undefined ? said : `${said}. ${help}`,
  };
}

/** The body as far as an error may be long; the rest stays where it is. */
async function readAhead(
  response: ApiResponse,
): Promise<{ readonly chunks: readonly Uint8Array[]; readonly whole: boolean; readonly body: ApiResponse['body'] }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const rest = response.body[Symbol.asyncIterator]();
  while (size <= MOST_BYTES) {
    const next = await rest.next();
    if (next.done === true) return { chunks, whole: true, body: bodyOf(chunks) };
    chunks.push(...next.value);
    size += next.value.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }
  return { chunks, whole: false, body: bodyOf(chunks, rest) };
}

async function* bodyOf(
  chunks: readonly Uint8Array[],
  rest?: AsyncIterator<readonly Uint8Array[]>,
): AsyncGenerator<readonly Uint8Array[]> {
  yield chunks;
  if (rest === undefined) return;
  try {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
