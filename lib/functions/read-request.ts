// The parts of a request, read strictly: what is unknown, doubled, or not what the schema says is refused with its name.
import * as v from 'valibot';
import { parseStrictJson } from '../model/strict-json.ts';
import type { HttpRequest } from '../ports/http.ts';
import { Problem } from './problems.ts';
import type { Route } from './route.ts';

function invalid(detail: string): Problem {
  return new Problem('invalid-request', { detail });
}

/** Segments of a path, decoded once. Throws Problem `invalid-request` for what could be read in two ways. */
export function pathSegments(path: string): readonly string[] {
  if (!path.startsWith('/')) throw invalid('The request target must be a path');
  return path
    .slice(1)
    .split('/')
    .map((segment) => {
      const text = decoded(segment);
      if (text === '.' || text === '..' || /[\p{Cc}\\]/u.test(text)) throw invalid('The path is not allowed');
      return text;
    });
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid('The path is not percent-encoded UTF-8');
  }
}

/** Parameters that may come more than once. */
const REPEATED: ReadonlySet<string> = new Set(['label']);

/** The parameters of a query or form, each once. */
export function parameters(
  text: string,
  where: 'query' | 'form',
): Readonly<Record<string, string | readonly string[]>> {
  const found = new Map<string, string | readonly string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const before = found.get(name);
    // What is no UTF-8 is replaced by the parser.
    if (value.includes('\ufffd') || name.includes('\ufffd')) throw invalid(`The ${where} is not percent-encoded UTF-8`);
    if (REPEATED.has(name)) found.set(name, [...((before as readonly string[] | undefined) ?? []), value]);
    else if (before === undefined) found.set(name, value);
    else throw invalid(`A parameter of the ${where} is there twice`);
  }
  return Object.fromEntries(found);
}

/** Checks a value. The message names the key, says what was expected, and quotes nothing. */
export function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown, where: string): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  const what = path === null ? `The ${where}` : unknown ? `A key of the ${where}` : `${path} (${where})`;
  if (unknown) throw invalid(`${what} is not known`);
  // valibot's own messages quote what was received; ours are of patterns alone.
  const expected = issue.type === 'regex' || issue.expected === null ? ourMessage(issue) : issue.expected;
  throw invalid(`${what} must be ${expected.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300)}`);
}

/** The message that the schema gives; never one that valibot makes. */
function ourMessage({ message, type }: v.BaseIssue<unknown>): string {
  return message.startsWith('Invalid ') ? `another ${type.replaceAll('_', ' ')}` : message;
}

/** The body as the route takes it. Throws Problem `unsupported-media-type` or `invalid-request`. */
export function readBody(route: Route, { headers, body }: HttpRequest): unknown {
  if (route.body === undefined) {
    if (body.length > 0) throw invalid('There is no body here');
    return undefined;
  }
  const types = headers.get('content-type') ?? [];
  const [type = '', ...parameter] = (types[0] ?? '').split(';').map((part) => part.trim().toLowerCase());
  const wanted = route.form === true ? 'application/x-www-form-urlencoded' : 'application/json';
  const plain = parameter.every((each) => each === 'charset=utf-8' || each === '');
  if (types.length !== 1 || type !== wanted || !plain || headers.has('content-encoding')) {
    throw new Problem('unsupported-media-type', { detail: `Send ${wanted}, not encoded otherwise` });
  }
  if (route.form === true) {
    const text = Buffer.from(body).toString('latin1');
    if (!/^[\x21-\x7e]*$/.test(text)) throw invalid('The form is not URL-encoded');
    return checked(route.body, parameters(text, 'form'), 'form');
  }
  const parsed = parseStrictJson(body);
  if (!('value' in parsed)) throw invalid(`The body ${parsed.problem}`);
  return checked(route.body, parsed.value, 'body');
}
