// Makes lib/client/client.ts, the typed client of the HTTP functions, of their description: `npm run build:client`. A test holds the
// committed file to what this makes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeAll } from '../../lib/functions/describe-all.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
  readonly description?: string;
  readonly default?: unknown;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: Schema }>> }>>;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** Pages for people are not for programs. */
const LEFT_OUT = new Set(['getPage']);

/** The text of the client. */
export function generateClient(document: Description): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const wanted = operations.filter(({ operation }) => !LEFT_OUT.has(operation.operationId));
  const types = Object.entries(document.components.schemas)
    .filter(([name]) => name !== 'Page')
    .map(([name, schema]) => typeOfComponent(name, schema));
  const methods = wanted.map(({ path, method, operation }) => signature(path, method, operation));
  const table = wanted.map(({ path, method, operation }) => entry(path, method, operation));
  return `${HEAD}
${types.join('\n\n')}

/** One method for each operation. Each throws ProblemError for an answer that is a problem. */
export interface FunctionsClient {
${methods.join('\n')}
}

const OPERATIONS: Readonly<Record<keyof FunctionsClient, Operation>> = {
${table.join('\n')}
};
${TAIL}`;
}

function typeOfComponent(name: string, schema: Schema): string {
  const doc = schema.description === undefined ? '' : `/** ${schema.description} */\n`;
  return schema.type === 'object'
    ? `${doc}export interface ${name} ${typeOf(schema, '')}`
    : `${doc}export type ${name} = ${typeOf(schema, '')};`;
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'unknown';
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ');
  if (schema.anyOf !== undefined) return schema.anyOf.map((each) => typeOf(each, indent)).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array': {
      const item = typeOf(schema.items ?? {}, indent);
      return `readonly ${item.includes(' ') && !item.startsWith('{') ? `(${item})` : item}[]`;
    }
    case 'object':
      return objectType(schema, indent);
    case undefined:
    default:
      return 'unknown';
  }
}

function objectType({ properties = {}, required = [], additionalProperties }: Schema, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([name, value]) => {
    const doc = value.description === undefined ? '' : `${inner}/** ${sentence(value.description)} */\n`;
    const mark = required.includes(name) ? '' : '?';
    return `${doc}${inner}readonly ${key(name)}${mark}: ${typeOf(value, inner)};`;
  });
  if (additionalProperties === undefined) lines.push(`${inner}readonly [name: string]: unknown;`);
  else if (additionalProperties !== false) {
    lines.push(`${inner}readonly [name: string]: ${typeOf(additionalProperties, inner)};`);
  }
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`;
}

function signature(path: string, method: string, operation: Operation): string {
  const parts = ['path', 'query'].flatMap((where) => {
    const parameters = operation.parameters.filter(({ in: place, name }) => place === where && name !== 'as');
    if (parameters.length === 0) return [];
    const optional = parameters.every(({ required }) => !required) ? '?' : '';
    const properties = Object.fromEntries(
      parameters.map(({ name, schema, description }) => [
        name,
        description === undefined ? schema : { ...schema, description },
      ]),
    );
    const required = parameters.filter((parameter) => parameter.required).map(({ name }) => name);
    const type = typeOf({ type: 'object', properties, required, additionalProperties: false }, '      ');
    return [`      readonly ${where}${optional}: ${type};`];
  });
  const body = bodyOf(operation);
  if (body !== undefined) parts.push(`      readonly body: ${typeOf(body.schema, '      ')};`);
  const needed = parts.some((part) => /^ {6}readonly \w+: /.test(part));
  const input = parts.length === 0 ? '' : `input${needed ? '' : '?'}: {\n${parts.join('\n')}\n    },`;
  const lines = input === '' ? '' : `\n    ${input}`;
  return `  /** ${sentence(operation.summary)} (${method} ${path}) */\n  ${operation.operationId}(${lines}\n    options?: CallOptions,\n  ): Promise<${answerOf(operation)}>;`;
}

function entry(path: string, method: string, operation: Operation): string {
  const body = bodyOf(operation);
  const media = body === undefined ? '' : `, media: ${literal(body.media)}`;
  const input = operation.parameters.length > 0 || body !== undefined ? ', input: true' : '';
  return `  ${operation.operationId}: { method: ${literal(method)}, path: ${literal(path)}${media}${input} },`;
}

function bodyOf({ requestBody }: Operation): { readonly media: string; readonly schema: Schema } | undefined {
  const [found] = Object.entries(requestBody?.content ?? {});
  return found === undefined ? undefined : { media: found[0], schema: found[1].schema };
}

function answerOf({ responses }: Operation): string {
  const good = Object.entries(responses).find(([status]) => status.startsWith('2'));
  const [content] = Object.values(good?.[1].content ?? {});
  // Other forms are asked for by `as`, which the client leaves out.
  return content === undefined ? 'unknown' : typeOf(content.schema.anyOf?.[0] ?? content.schema, '  ');
}

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value));
const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`);
const sentence = (text: string): string => `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`;

const HEAD = `// The client of the HTTP functions. Generated from their description by tools/client/generate.ts: change that, or lib/functions, and
// run \`npm run build:client\`.
`;

const TAIL = `
export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface ClientOptions {
  /** URL of the function, without a path. */
  readonly url: string;
  /** An ID token for the function's audience; asked for at every call, so it should be kept by whoever gives it. */
  readonly token?: () => string | Promise<string>;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
}

/** An answer that is a problem (RFC 9457). */
export class ProblemError extends Error {
  readonly status: number;
  /** Stable: to be switched on. */
  readonly type: string;
  readonly problem: Problem;
  /** Seconds, where the service says when to ask again. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem, retryAfter: number | undefined) {
    super(problem.detail ?? problem.title);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.type = problem.type;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly media?: string;
  /** False where the first argument of its method is the options. */
  readonly input?: boolean;
}

interface Input {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: object;
}

/** Behind Cloud Run's IAM, too: the token goes in both headers. Retries nothing. */
export function createClient(options: ClientOptions): FunctionsClient {
  const methods = Object.entries(OPERATIONS).map(([name, operation]) => [
    name,
    operation.input === true
      ? (input?: Input, call?: CallOptions) => send(options, operation, input, call)
      : (call?: CallOptions) => send(options, operation, undefined, call),
  ]);
  return Object.fromEntries(methods) as FunctionsClient;
}

async function send(
  { url, token, fetch: ask = fetch }: ClientOptions,
  { method, path, media }: Operation,
  input: Input = {},
  call: CallOptions = {},
): Promise<unknown> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== undefined) {
    const bearer = \`Bearer \${await token()}\`;
    Object.assign(headers, { authorization: bearer, 'x-serverless-authorization': bearer });
  }
  if (media !== undefined) headers['content-type'] = media;
  const body = media === 'application/json' ? JSON.stringify(input.body) : form(input.body);
  const response = await ask(\`\${url.replace(/\\/+$/, '')}\${pathOf(path, input)}\`, {
    method,
    headers,
    redirect: 'error',
    ...(media === undefined ? {} : { body }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
  throw new ProblemError(problemIn(response, text), Number.isFinite(wait) ? wait : undefined);
}

function pathOf(template: string, { path = {}, query = {} }: Input): string {
  const filled = template.replaceAll(/\\{(\\w+)\\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of value === undefined ? [] : typeof value === 'string' ? [value] : value) search.append(name, each);
  }
  return search.size === 0 ? filled : \`\${filled}?\${search.toString()}\`;
}

function form(body: object | undefined): string {
  const fields = Object.entries(body ?? {}).filter(([, value]) => value !== undefined);
  return new URLSearchParams(fields.map(([name, value]): [string, string] => [name, String(value)])).toString();
}

/** What stands in front of the service may answer, too, and not with a problem. */
function problemIn(response: Response, text: string): Problem {
  const { status, statusText } = response;
  const plain = { type: 'about:blank' as Problem['type'], title: statusText, status, instance: response.url };
  if (!(response.headers.get('content-type') ?? '').includes('json')) return plain;
  try {
    return { ...plain, ...(JSON.parse(text) as Partial<Problem>) };
  } catch {
    return plain;
  }
}
`;

if (import.meta.main) {
  const file = join(import.meta.dirname, '../../lib/client/client.ts');
  writeFileSync(file, generateClient(describeAll('') as unknown as Description));
}
