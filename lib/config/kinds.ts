// The kinds of values that options have: how each is read from text (flags, environment) and checked.
// The only file that loads valibot, so that `--help` need not wait for it. Each message is what was expected, written so
// that "KEY must be …" is a sentence.
import { isIP } from 'node:net';
import { delimiter } from 'node:path';
import * as v from 'valibot';
import { gkeNameOf } from '../model/gke-name.ts';
import { parseByteSize } from './byte-size.ts';
import { parseDuration } from './duration.ts';

/** Fields of resources whose values are replaced before anything is recorded. */
export interface RedactRule {
  /** Patterns as in `resources`. */
  readonly resources: readonly string[];
  /** Field paths, e.g. `spec.secretName`. */
  readonly fields: readonly string[];
}

// A plural, a plural and its group, a group with all its resources, or everything.
const resourcePattern = /^(?:\*|[a-z0-9*-]+(?:\.[a-z0-9*.-]*[a-z0-9*])?)$/;
const resource = v.pipe(
  v.string('a resource pattern like httproutes.gateway.networking.k8s.io, *.istio.io or secrets'),
  v.regex(resourcePattern, 'a resource pattern like httproutes.gateway.networking.k8s.io, *.istio.io or secrets'),
);
const fieldPath = v.pipe(
  v.string('a field path like spec.secretName'),
  v.regex(/^[^.\s]+(?:\.[^.\s]+)*$/, 'a field path like spec.secretName'),
);
const namespace = v.pipe(
  v.string('a namespace: lower-case letters, digits and dashes'),
  v.regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'a namespace: lower-case letters, digits and dashes'),
);
const sourceNames = ['auto', 'kubeconfig', 'in-cluster', 'sandbox', 'gke', 'fleet', 'istio', 'clusterprofile'] as const;
const sourceWords =
  'auto, kubeconfig, in-cluster, sandbox, gke, fleet, istio, clusterprofile, or one GKE cluster as gke://PROJECT/LOCATION/NAME';
const storeWords = 'disk, or firestore://PROJECT/DATABASE (without /DATABASE: the default one)';
// https://cloud.google.com/firestore/docs/manage-databases#database_id
const storePattern = /^(?:disk|firestore:\/\/[a-z0-9.:-]+(?:\/(?:\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9]))?)$/;
const sinkWords = 'stdout:, pubsub://PROJECT/TOPIC, or an http or https URL';
const projectWords = 'a Google Cloud project id';
const portWords = 'a port number, or 0 for one that is free';
const serviceWords = 'an https URL (http only to this machine) without user, query and fragment';
/** A word, or one GKE cluster by its URL or resource link. */
const source = v.pipe(
  v.string(sourceWords),
  v.check((text) => (sourceNames as readonly string[]).includes(text) || isGkeUrl(text), sourceWords),
);
const defaultClusterWords =
  'gke://PROJECT/LOCATION/NAME, its link https://container.googleapis.com/…, cluster://PART-OF-A-NAME, or a name';
const serviceAccountWords = 'a service account as NAMESPACE/NAME';
const issuerWords = 'an issuer: an https URL (http on loopback alone)';
const originWords = 'an origin like https://tools.example.com';
const someText = (expected: string) => v.pipe(v.string(expected), v.trim(), v.nonEmpty(expected));
const wholeNumber = (expected: string, min: number) =>
  v.pipe(v.number(expected), v.safeInteger(expected), v.minValue(min, expected));

const list = <T>(item: v.GenericSchema<unknown, T>, separator: string | RegExp, expected: string) => ({
  fromText: (text: string): unknown => split(text, separator),
  schema: v.pipe(v.array(item, expected), v.readonly()),
  absent: [] as readonly T[],
});
const choice = <const T extends string>(...values: readonly T[]) => ({
  fromText: (text: string): unknown => text,
  schema: v.picklist(values, `one of ${values.join(', ')}`),
  absent: undefined,
});
const number = (schema: v.GenericSchema<unknown, number>) => ({ fromText: toNumber, schema, absent: undefined });

/** What it names is checked where it is used; here, that it is no misspelt word. */
function isGkeUrl(text: string): boolean {
  return text.startsWith('gke://') || text.startsWith('https://container.googleapis.com/');
}

function isClusterName(text: string): boolean {
  if (!text.includes('//')) return text !== '';
  return /^cluster:\/\/[^/]+\/?$/.test(text) || gkeNameOf(text) !== undefined;
}

/** By name: `fromText` turns text into what a YAML file would hold, `schema` checks that, `absent` stands for "not set". */
export const kinds = {
  sources: list(source, ',', `a list of ${sourceWords}`),
  endpoints: list(
    v.picklist(['dns', 'public', 'private'], 'dns, public or private'),
    ',',
    'a list of dns, public, private',
  ),
  projects: list(
    v.pipe(v.string(projectWords), v.regex(/^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, projectWords)),
    ',',
    'a list of project ids',
  ),
  paths: list(someText('a path'), delimiter, 'a list of paths'),
  globs: list(someText('a name in which * stands for anything'), ',', 'a list of names in which * stands for anything'),
  resources: list(resource, ',', 'a list of resource patterns like httproutes.gateway.networking.k8s.io'),
  namespaces: list(namespace, ',', 'a list of namespaces'),
  sinks: list(
    v.pipe(v.string(sinkWords), v.check(isSink, sinkWords)),
    /\s+/,
    'a list of stdout:, pubsub://PROJECT/TOPIC, http or https URLs',
  ),
  redact: {
    fromText: redactFromText,
    schema: v.pipe(
      v.array(
        v.strictObject(
          {
            resources: v.pipe(v.array(resource, 'a list of resource patterns'), v.minLength(1, 'at least one pattern')),
            fields: v.pipe(v.array(fieldPath, 'a list of field paths'), v.minLength(1, 'at least one field path')),
          },
          'a rule with resources and fields and nothing else (in text, RESOURCES:FIELDS)',
        ),
        'a list of rules, each with resources and fields',
      ),
      v.readonly(),
    ),
    absent: [] as readonly RedactRule[],
  },
  store: {
    fromText: (text: string): unknown => text,
    schema: v.pipe(v.string(storeWords), v.trim(), v.regex(storePattern, storeWords)),
    absent: undefined,
  },
  /** A name, or a URL in one of the forms that name a cluster. */
  defaultCluster: {
    fromText: (text: string): unknown => text,
    schema: v.pipe(
      v.string(defaultClusterWords),
      v.check((text) => isClusterName(text), defaultClusterWords),
    ),
    absent: undefined,
  },
  /** `NAMESPACE/NAME`. */
  serviceAccount: {
    fromText: (text: string): unknown => text,
    schema: v.pipe(
      v.string(serviceAccountWords),
      v.regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, serviceAccountWords),
    ),
    absent: undefined,
  },
  audiences: list(someText('an audience'), ',', 'a list of audiences'),
  issuers: list(
    v.pipe(v.string(issuerWords), v.check(isIssuer, issuerWords)),
    ',',
    'a list of issuers, each an https URL',
  ),
  origins: list(
    v.pipe(v.string(originWords), v.check(isOrigin, originWords)),
    ',',
    'a list of origins like https://tools.example.com',
  ),
  text: { fromText: (text: string): unknown => text, schema: someText('a text that is not empty'), absent: undefined },
  path: { fromText: (text: string): unknown => text, schema: someText('a path'), absent: undefined },
  boolean: { fromText: toBoolean, schema: v.boolean('true or false'), absent: undefined },
  mode: choice('follow', 'catch-up'),
  view: choice('auto', 'table', 'log', 'none'),
  logLevel: choice('debug', 'info', 'warning', 'error'),
  /** Milliseconds; undefined for `none`. */
  duration: {
    fromText: (text: string): unknown => text,
    schema: v.pipe(
      v.string('a duration like 90s, 55m or 7d, or none'),
      v.check(
        (text) => text === 'none' || parseDuration(text) !== undefined,
        'a duration like 90s, 55m or 7d, or none',
      ),
      v.transform((text) => (text === 'none' ? undefined : parseDuration(text))),
    ),
    absent: undefined,
  },
  /** Whole number from 1; undefined for `none`. */
  limit: {
    fromText: toNumber,
    schema: v.pipe(
      v.union([v.literal('none'), wholeNumber('', 1)], 'a whole number from 1, or none'),
      v.transform((value) => (value === 'none' ? undefined : value)),
    ),
    absent: undefined,
  },
  count: number(wholeNumber('a whole number from 0', 0)),
  port: number(v.pipe(wholeNumber(portWords, 0), v.maxValue(65_535, portWords))),
  address: {
    fromText: (text: string): unknown => text,
    schema: v.pipe(
      v.string('an IP address'),
      v.check((text) => isIP(text) !== 0, 'an IP address'),
    ),
    absent: undefined,
  },
  /** Without a slash at its end. */
  serviceUrl: {
    fromText: (text: string): unknown => text,
    schema: v.pipe(
      v.string(serviceWords),
      v.check(isServiceUrl, serviceWords),
      v.transform((text) => text.replace(/\/+$/, '')),
    ),
    absent: undefined,
  },
  positive: number(wholeNumber('a whole number from 1', 1)),
  rate: number(v.pipe(v.number('a number from 0'), v.finite('a number from 0'), v.minValue(0, 'a number from 0'))),
  /** Bytes. */
  bytes: {
    fromText: (text: string): unknown => text,
    schema: v.pipe(
      v.union([v.number(), v.string()], 'a size like 64MiB'),
      v.transform((value) => (typeof value === 'number' ? value : (parseByteSize(value) ?? Number.NaN))),
      v.check((bytes) => Number.isSafeInteger(bytes) && bytes >= 2 ** 20, 'a size like 64MiB, at least 1MiB'),
    ),
    absent: undefined,
  },
} satisfies Record<string, Kind>;

interface Kind {
  readonly fromText: (text: string) => unknown;
  readonly schema: v.GenericSchema<unknown, unknown>;
  readonly absent: unknown;
}

export type KindName = keyof typeof kinds;
export type KindValue<K extends KindName> = v.InferOutput<(typeof kinds)[K]['schema']>;
export type KindAbsent<K extends KindName> = (typeof kinds)[K]['absent'];

/** What is wrong with a value: where inside it, what was expected there, and what was found. */
export interface Mismatch {
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly found: unknown;
}

/** Checks a value as a YAML file (or `fromText`) gives it. */
export function check(kind: KindName, value: unknown): { value: unknown } | { mismatches: readonly Mismatch[] } {
  const schema: v.GenericSchema<unknown, unknown> = kinds[kind].schema;
  const result = v.safeParse(schema, value);
  if (result.success) return { value: result.output };
  return {
    mismatches: result.issues.map((issue) => ({
      path: (issue.path ?? []).map((item) => item.key as string | number),
      expected: issue.message,
      found: issue.input,
    })),
  };
}

function split(text: string, separator: string | RegExp): string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function toNumber(text: string): unknown {
  return /^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text;
}

function toBoolean(text: string): unknown {
  return text === 'true' ? true : text === 'false' ? false : text;
}

/** An identity token is sent there: it must not travel unencrypted. */
function isServiceUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  if (`${username}${password}${search}${hash}` !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname));
}

function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash } = new URL(text);
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return search === '' && hash === '' && (protocol === 'https:' || (protocol === 'http:' && loopback));
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && text !== 'null';
}

function isSink(text: string): boolean {
  if (text === 'stdout:') return true;
  // Whether project and topic are such names is checked where they are used.
  return /^(?:https?:\/\/|pubsub:\/\/[^/]+\/[^/]+$)/.test(text) && URL.canParse(text);
}

/** `RESOURCE[,RESOURCE]:FIELD[,FIELD]`, several rules with `;` between them. */
function redactFromText(text: string): unknown {
  return split(text, ';').map((rule) => {
    const colon = rule.indexOf(':');
    return colon < 0
      ? rule
      : { resources: split(rule.slice(0, colon), ','), fields: split(rule.slice(colon + 1), ',') };
  });
}
