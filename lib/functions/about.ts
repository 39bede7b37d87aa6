// What a service says of itself, to anyone: that it lives, whether it is ready, and what it can be asked.
import type { JsonSchema } from './json-schema.ts';
import { Problem } from './problems.ts';
import { type Route, route } from './route.ts';
import * as schemas from './schemas.ts';

const shape = {
  method: 'GET',
  caller: 'none',
  rate: 'lists',
  query: schemas.noQuery,
  gives: ['application/json'],
  status: 200,
  problems: [],
} as const;

/** `describe` makes the document when it is first asked for. */
export function aboutRoutes(describe: () => Promise<JsonSchema>): readonly Route[] {
  let document: JsonSchema | undefined;
  return [
    route({
      ...shape,
      uncounted: true,
      id: 'getHealth',
      summary: 'Whether the process lives',
      path: '/healthz',
      answers: schemas.healthSchema,
      answerName: 'Health',
      handle: async () => ({ body: { status: 'ok' } }),
    }),
    route({
      ...shape,
      uncounted: true,
      id: 'getReadiness',
      summary: 'Whether it can answer requests',
      path: '/readyz',
      answers: schemas.healthSchema,
      answerName: 'Health',
      async handle({ services }) {
        if (!services.isReady()) throw new Problem('unavailable', { headers: { 'retry-after': '5' } });
        return { body: { status: 'ok' } };
      },
    }),
    route({
      ...shape,
      id: 'getDescription',
      summary: 'This description',
      path: '/openapi.json',
      answers: schemas.descriptionSchema,
      answerName: 'Description',
      async handle() {
        document ??= await describe();
        const type = 'application/json';
        return { text: { type, content: `${JSON.stringify(document)}\n` }, headers: { 'cache-control': 'no-cache' } };
      },
    }),
    route({
      ...shape,
      id: 'getPage',
      summary: 'A page to read the description and try it',
      path: '/docs',
      answers: schemas.pageSchema,
      answerName: 'Page',
      async handle() {
        const { docsPage } = await import('./docs-page.ts');
        return { text: docsPage(), headers: { 'cache-control': 'no-cache' } };
      },
    }),
  ];
}
