// The description of the endpoints (OpenAPI 3.1), made of the schemas that check them.
import type { GenericSchema } from 'valibot';
import { type JsonSchema, jsonSchema } from './json-schema.ts';
import { PROBLEM_NAMES, type ProblemName, problemType, statusOf } from './problems.ts';
import type { Route } from './route.ts';
import { problemSchema } from './schemas.ts';

/** What any endpoint with a caller may answer. */
const ALWAYS: readonly ProblemName[] = ['invalid-request', 'too-many-requests', 'unavailable', 'internal'];

export function openApi(routes: readonly Route[], version: string): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  const schemas: Record<string, JsonSchema> = { Problem: problemDocument() };
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operation(route);
    schemas[route.answerName] = jsonSchema(route.answers);
    for (const [name, schema] of Object.entries(route.instead ?? {})) schemas[name] = jsonSchema(schema);
    if (route.body !== undefined) schemas[bodyName(route)] = jsonSchema(route.body);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'mk8s',
      version,
      summary: 'Clusters of the fleet, and short-lived tokens for them',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        idToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An ID token for this service.' },
      },
    },
  };
}

export function bodyName(route: Route): string {
  return `${route.id[0]?.toUpperCase() ?? ''}${route.id.slice(1)}Body`;
}

function operation(route: Route): object {
  const problems = new Set<ProblemName>([
    ...ALWAYS,
    ...route.problems,
    ...(route.caller === 'none' ? [] : (['unauthenticated'] as const)),
    ...(route.gives.length > 0 && route.method === 'GET' ? (['not-acceptable'] as const) : []),
    ...(route.body === undefined ? [] : (['unsupported-media-type', 'too-large'] as const)),
  ]);
  const others = Object.keys(route.instead ?? {});
  const answer = ref(route.answerName);
  const schema = others.length === 0 ? answer : { anyOf: [answer, ...others.map(ref)] };
  const content = Object.fromEntries(mediaOf(route).map((media) => [media, { schema }]));
  return {
    operationId: route.id,
    summary: route.summary,
    ...(route.caller === 'bearer' ? { security: [{ idToken: [] }] } : { security: [] }),
    parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')],
    ...(route.body === undefined ? {} : { requestBody: requestBody(route) }),
    responses: {
      [route.status]: { description: 'Done', content },
      ...(route.method === 'GET' && route.caller === 'bearer' && route.rate === 'lists'
        ? { 304: { description: 'What the client has still holds' } }
        : {}),
      ...problemResponses([...problems]),
    },
  };
}

/** Pages are HTML; whatever else gives text gives JSON. */
function mediaOf({ id, gives }: Route): readonly string[] {
  return id === 'getPage' ? ['text/html'] : gives;
}

function requestBody(route: Route): object {
  const media = route.form === true ? 'application/x-www-form-urlencoded' : 'application/json';
  return { required: true, content: { [media]: { schema: ref(bodyName(route)) } } };
}

function parametersOf(schema: GenericSchema | undefined, where: 'path' | 'query'): object[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema) as {
    properties?: Record<string, Record<string, unknown>>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...type }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: type,
  }));
}

/** Several problems may share a status. */
function problemResponses(names: readonly ProblemName[]): object {
  const byStatus = Map.groupBy(names, statusOf);
  const responses = [...byStatus].map(([status, all]) => [
    String(status),
    {
      description: all.map(problemType).join(', '),
      content: { 'application/problem+json': { schema: ref('Problem') } },
    },
  ]);
  return Object.fromEntries(responses) as object;
}

function problemDocument(): JsonSchema {
  const schema = jsonSchema(problemSchema) as { properties: Record<string, JsonSchema> };
  const type = { enum: PROBLEM_NAMES.map(problemType) };
  return { ...schema, properties: { ...schema.properties, type: { ...schema.properties['type'], ...type } } };
}

function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}
