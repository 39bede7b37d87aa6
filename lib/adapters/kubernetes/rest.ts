// One request to one cluster, with its answer understood: every call of the library goes through here, so that an
// expired token is renewed once and every failure reads as one sentence (what, on which cluster, why, what to do).
import { type KubernetesStatus, parseStatus } from '../../decode/status.ts';
import { type ErrorCode, Mk8sError } from '../../model/errors.ts';
import type { ApiRequest, ApiResponse, ApiServer } from '../../ports/api-server.ts';

/** A cluster to talk to, and its name for messages. */
export interface Target {
  readonly api: ApiServer;
  readonly name: string;
}

/** The longest body of a single object or error that is read: kube-apiserver accepts 3 MiB, etcd stores 1.5 MiB. */
const bodyLimit = 64 * 1024 * 1024;

/** Statuses after which the same request may succeed by itself (Kubernetes API conventions, "HTTP Status codes"). */
const retryableStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Sends a request; after a 401 once more with a fresh credential. Every HTTP status is an answer, also the second 401.
 * Throws what the ApiServer throws, in a sentence that says what was attempted: `Cannot get … in cluster "a": …`.
 */
export async function exchange(target: Target, request: ApiRequest, attempt: string): Promise<ApiResponse> {
  try {
    const response = await target.api.request(request);
    if (response.status !== 401) return response;
    await discard(response);
    return await target.api.request({ ...request, freshCredentials: true });
  } catch (error) {
    throw explain(target, attempt, error, request.signal);
  }
}

/** As `exchange`, but an HTTP status of 400 and above is thrown as Mk8sError `http` (401: `credentials`). */
export async function send(target: Target, request: ApiRequest, attempt: string): Promise<ApiResponse> {
  const response = await exchange(target, request, attempt);
  if (response.status < 400) return response;
  throw await httpError(target, response, attempt, request.signal);
}

/** Sends a request and reads its JSON answer as a whole: for single objects. Throws Mk8sError `protocol` where it is no JSON. */
export async function sendJson(target: Target, request: ApiRequest, attempt: string): Promise<unknown> {
  return readJson(target, await send(target, request, attempt), attempt, request.signal);
}

/** Reads an answer as JSON. */
export async function readJson(
  target: Target,
  response: ApiResponse,
  attempt: string,
  signal?: AbortSignal,
): Promise<unknown> {
  const text = await readText(response).catch((error: unknown) => {
    throw explain(target, attempt, error, signal);
  });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message quotes the text, which may hold a token.
    throw new Mk8sError(
      `Cannot ${attempt} in cluster "${target.name}": ${target.api.server} answered ${response.status} with something that is not JSON (${response.headers['content-type'] ?? 'no content type'}, ${text.length} characters); is it a Kubernetes API server?`,
      { code: 'protocol' },
    );
  }
}

/** Reads a whole body as UTF-8. Throws Mk8sError `protocol` above 64 MiB. */
export async function readText(response: ApiResponse): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunks of response.body) {
    for (const chunk of chunks) {
      size += chunk.length;
      if (size > bodyLimit) throw new Mk8sError(`the answer is larger than ${bodyLimit} bytes`, { code: 'protocol' });
      text += decoder.decode(chunk, { stream: true });
    }
  }
  return text + decoder.decode();
}

/** Reads the body of an error answer and makes the error. */
export async function httpError(
  target: Target,
  response: ApiResponse,
  attempt: string,
  signal?: AbortSignal,
): Promise<Error> {
  const text = await readText(response).catch((error: unknown) => {
    throw explain(target, attempt, error, signal);
  });
  return statusError(
    target,
    attempt,
    { ...parseStatus(text, response.status), code: response.status },
    retryAfter(response),
  );
}

/** The error of a Kubernetes Status, from an answer or from an ERROR event of a watch. */
export function statusError(
  target: Target,
  attempt: string,
  status: KubernetesStatus,
  retryAfterMs = status.retryAfterSeconds === undefined ? undefined : status.retryAfterSeconds * 1000,
): Mk8sError {
  const code: ErrorCode = status.code === 401 ? 'credentials' : 'http';
  const label = [status.code, status.reason].filter((part) => part !== '').join(' ');
  const said = [oneLine(status.message).replace(/\.$/, '') || 'the server did not say why', ...causesOf(status)].join(
    '; ',
  );
  return new Mk8sError(`Cannot ${attempt} in cluster "${target.name}": ${said} (${label})${advice(status.code)}`, {
    code,
    status: status.code,
    reason: status.reason,
    retryable: retryableStatuses.has(status.code),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Puts what was attempted before why it failed. An abort passes through as it is, and so does a mistake of ours. */
export function explain(target: Target, attempt: string, error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (!(error instanceof Mk8sError)) return error;
  const { code, retryable, status, reason, retryAfterMs } = error;
  const why = error.message.replace(/^(Cannot|The) /, (word) => word.toLowerCase());
  return new Mk8sError(`Cannot ${attempt} in cluster "${target.name}": ${why}`, {
    code,
    retryable,
    ...(status === undefined ? {} : { status }),
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause: error,
  });
}

/** An apply conflict lists its fields on lines of their own. */
function oneLine(message: string): string {
  return message
    .trim()
    .replaceAll(':\n- ', ': ')
    .replaceAll('\n- ', ', ')
    .replaceAll(/\s*\n\s*/g, ' ');
}

/** Causes that the message does not tell already; most of the time it tells all. */
function causesOf({ message, details }: KubernetesStatus): readonly string[] {
  return (details?.causes ?? [])
    .filter((cause) => cause.reason !== 'FieldManagerConflict' && !message.includes(cause.message))
    .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
}

function advice(status: number): string {
  if (status === 401) return '; a fresh credential was tried too: check the user of this context';
  return '';
}

function retryAfter(response: ApiResponse): number | undefined {
  const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

async function discard(response: ApiResponse): Promise<void> {
  for await (const _ of response.body) {
    // Read to the end, so that the connection can be used again; a 401 is a few hundred bytes.
  }
}
