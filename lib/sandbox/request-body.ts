// Bodies of requests: JSON; YAML for server-side apply; protobuf from typed clients.
import type { Json } from './json.ts';
import { decodeProtobuf, isProtobuf } from './protobuf.ts';
import type { Request } from './reply.ts';
import { badRequest, failure } from './status.ts';
import { parseYaml } from './yaml.ts';

const largestBody = 3 * 1024 * 1024;

/** The whole body as text, protobuf as JSON. Throws 413 above 3 MiB, as the server does. */
export async function readBody(request: Request): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= largestBody) chunks.push(chunk);
  }
  if (size > largestBody) {
    throw failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${largestBody}`);
  }
  const body = Buffer.concat(chunks);
  return isProtobuf(body) ? fromProtobuf(body) : body.toString('utf8');
}

function fromProtobuf(body: Buffer): string {
  let object: Json | undefined;
  try {
    object = decodeProtobuf(body);
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
  if (object !== undefined) return JSON.stringify(object);
  const accepted = 'application/json, application/yaml';
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
  throw failure(415, 'UnsupportedMediaType', message);
}

/** The body as JSON; null where it is empty. Throws 400 in the server's words. */
export function parseJson(body: string, kind: string): Json {
  if (body.trim() === '') return null;
  try {
    return JSON.parse(body) as Json;
  } catch {
    const start = body.slice(0, 30);
    const problem = "couldn't get version/kind; json parse error: invalid character looking for beginning of value";
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${problem} (${start} ...)`);
  }
}

/** The configuration of a server-side apply, which is JSON or YAML. */
export function parseConfig(body: string): Json {
  try {
    return body.trimStart().startsWith('{') ? (JSON.parse(body) as Json) : parseYaml(body);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}
