// What a policy file may say. Messages are what was expected, so that "KEY must be …" is a sentence.
import * as v from 'valibot';
import { parseDuration } from '../config/duration.ts';
import type { CallerPattern, Rule } from './policy.ts';

/** Callers that are named by an address alone are this issuer's. */
const GOOGLE = 'https://accounts.google.com';

/** Kubernetes gives no token for less than 10 minutes; more than an hour is not short-lived. */
const LEAST_SECONDS = 600;
const MOST_SECONDS = 3_600;
const DEFAULT_SECONDS = 900;

const text = (expected: string, pattern: RegExp) => v.pipe(v.string(expected), v.regex(pattern, expected));
const someOf = <T extends v.GenericSchema>(item: T, expected: string) =>
  v.pipe(v.array(item, expected), v.minLength(1, expected));

const name = text('a name of letters, digits, dashes and dots', /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
const address = text('an e-mail address, or *@ and a domain', /^(?:\*|[^\s@*]+\*?|\*[^\s@*]+)@[^\s@*]+$/);
const issuer = text('an issuer: an https URL', /^https?:\/\/[^\s]+$/);
const caller = v.pipe(
  v.union(
    [
      address,
      v.strictObject({ issuer, email: address }, 'issuer and email'),
      v.strictObject({ issuer, subject: text('a subject', /^[^\s*]{1,255}$/) }, 'issuer and subject'),
    ],
    'an e-mail address (alice@example.com, *@example.com), or issuer with email or subject',
  ),
  v.transform((given): CallerPattern => (typeof given === 'string' ? { issuer: GOOGLE, email: given } : given)),
);
const anyone = v.pipe(
  v.literal('*', 'everyone'),
  v.transform((): CallerPattern => ({ issuer: '*', email: '*' })),
);
const callers = someOf(caller, 'a list of callers; everyone (*) can be denied something, not granted');
const denied = someOf(v.union([caller, anyone], 'a caller, or * for everyone'), 'a list of callers');

const cluster = text('a name or id of clusters, * stands for anything', /^[^\s]{1,512}$/);
const dnsPattern = /^[a-z0-9*](?:[a-z0-9.*-]{0,251}[a-z0-9*])?$/;
const namespace = text('a namespace, * stands for anything', dnsPattern);
const serviceAccount = text('a service account’s name, * stands for anything', dnsPattern);
const account = text(
  'a Google service account, e.g. deployer@project.iam.gserviceaccount.com, in full',
  /^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$/,
);
/** Never any: of a pattern, a name with a dot must be left, or a whole host, and a path's beginning. */
const audience = v.pipe(
  v.string('an audience'),
  v.regex(/^[^\s]{1,1024}$/, 'an audience without spaces'),
  v.check(
    (given) => !given.includes('*') || /^[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?[^*/]+\.[^*/]{2,}(?:\/[^*]*\*?)?$/.test(given),
    'an audience in full, or a pattern that names a domain (https://*.example.com); any audience is never granted',
  ),
);
const scope = text('a scope in full, e.g. https://www.googleapis.com/auth/pubsub', /^[^\s*"\\]{1,512}$/);
const lifetime = v.optional(
  v.pipe(
    v.string('a duration from 10m to 1h'),
    v.transform((given) => (parseDuration(given) ?? Number.NaN) / 1000),
    v.check((seconds) => seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS, 'a duration from 10m to 1h'),
  ),
  `${DEFAULT_SECONDS}s`,
);

const clusters = someOf(cluster, 'a list of clusters');
const namespaces = someOf(namespace, 'a list of namespaces');
const serviceAccounts = someOf(serviceAccount, 'a list of service accounts');
const audiences = someOf(audience, 'a list of audiences');
const scopes = someOf(scope, 'a list of scopes');
const accounts = someOf(account, 'a list of Google service accounts');
const nothingElse = 'a rule of this kind with its keys and nothing else';

const grants = [
  v.strictObject({ grant: v.literal('clusters'), name, callers, clusters }, nothingElse),
  v.strictObject({ grant: v.literal('refresh'), name, callers }, nothingElse),
  v.strictObject(
    {
      grant: v.literal('service-account-tokens'),
      name,
      callers,
      clusters,
      namespaces,
      serviceAccounts,
      audiences,
      maxLifetime: lifetime,
    },
    nothingElse,
  ),
  v.strictObject(
    {
      grant: v.literal('federated-tokens'),
      name,
      callers,
      clusters,
      namespaces,
      serviceAccounts,
      scopes,
      pool: text('the audience of a workload identity pool', /^[^\s*]{1,512}$/),
      provider: v.optional(text('which provider of the pool vouches for the cluster', /^[^\s*]{1,512}$/)),
    },
    nothingElse,
  ),
  v.strictObject(
    { grant: v.literal('access-tokens'), name, callers, serviceAccounts: accounts, scopes, maxLifetime: lifetime },
    nothingElse,
  ),
  v.strictObject(
    { grant: v.literal('identity-tokens'), name, callers, serviceAccounts: accounts, audiences },
    nothingElse,
  ),
] as const;

const denial = v.strictObject(
  {
    deny: v.picklist(
      ['clusters', 'refresh', 'service-account-tokens', 'federated-tokens', 'access-tokens', 'identity-tokens'],
      'clusters, refresh, service-account-tokens, federated-tokens, access-tokens or identity-tokens',
    ),
    name,
    callers: denied,
    clusters: v.optional(clusters),
    namespaces: v.optional(namespaces),
    serviceAccounts: v.optional(someOf(text('a service account, * stands for anything', /^[^\s]{1,256}$/), 'a list')),
    audiences: v.optional(someOf(text('an audience, * stands for anything', /^[^\s]{1,1024}$/), 'a list')),
    scopes: v.optional(scopes),
  },
  nothingElse,
);

const rule = v.pipe(
  v.lazy(
    (input): v.GenericSchema<unknown, v.InferOutput<typeof denial> | v.InferOutput<(typeof grants)[number]>> =>
      typeof input === 'object' && input !== null && 'deny' in input
        ? denial
        : v.variant(
            'grant',
            [...grants],
            'one of clusters, refresh, service-account-tokens, federated-tokens, access-tokens, identity-tokens (or the rule has deny)',
          ),
  ),
  v.transform((given): Rule => {
    if ('deny' in given) {
      const { deny, ...rest } = given;
      return { ...present(rest), effect: 'deny', what: deny };
    }
    const { grant, ...rest } = given;
    return { ...present(rest), effect: 'grant', what: grant };
  }),
);

export const policySchema = v.strictObject(
  {
    version: v.literal(1, '1'),
    rules: v.pipe(
      v.array(rule, 'a list of rules'),
      v.rawCheck(({ dataset, addIssue }) => {
        if (!dataset.typed) return;
        const seen = new Set<string>();
        for (const [index, { name: given }] of dataset.value.entries()) {
          if (seen.has(given)) {
            addIssue({
              message: 'a name of its own: another rule has it',
              input: given,
              path: [
                { type: 'array', origin: 'value', input: dataset.value, key: index, value: given },
                { type: 'object', origin: 'value', input: {}, key: 'name', value: given },
              ],
            });
          }
          seen.add(given);
        }
      }),
    ),
  },
  'version and rules and nothing else',
);

/** Absent keys are absent, not undefined. */
function present(given: object): Omit<Rule, 'effect' | 'what'> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
