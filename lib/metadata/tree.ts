// The metadata as Google's servers arrange it: directories and entries, with the names that GCE, GKE and Cloud Run have.
// Source: https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
import type { MetadataSource } from './metadata-source.ts';

/** What an entry holds. A list is lines of text, or a JSON array. */
export type Value = string | number | readonly string[];

/** Entries by name, in the order in which they are listed; a name ends with `/` in lists where it is a directory. */
export interface Directory {
  readonly kind: 'directory';
  readonly entries: ReadonlyMap<string, Entry>;
  /** Names in JSON stay as they are: they are keys of a user's own. Else `service-accounts` becomes `serviceAccounts`. */
  readonly ownKeys?: true;
}

export type Entry =
  | Directory
  /** Undefined: it has no value here, and is then not found. */
  | { readonly kind: 'value'; readonly read: () => Promise<Value | undefined> }
  /** Made when it is asked for, and never part of what is read recursively. */
  | { readonly kind: 'access-token' | 'identity-token' };

/** The root, as `GET /` shows it. */
export function metadataTree(source: MetadataSource): Directory {
  const { email, location, clusterName } = source;
  const zone = location !== undefined && /-[a-z]$/.test(location) ? location : undefined;
  const region = zone?.replace(/-[a-z]$/, '') ?? location;
  const account = serviceAccount(source);
  return directory({
    computeMetadata: directory({
      v1: directory({
        instance: directory({
          attributes: {
            ...directory({
              ...(location === undefined ? {} : { 'cluster-location': fixed(location) }),
              ...(clusterName === undefined ? {} : { 'cluster-name': fixed(clusterName) }),
            }),
            ownKeys: true,
          },
          ...(region === undefined ? {} : { region: place(source, `regions/${region}`) }),
          'service-accounts': { ...directory({ default: account, [email]: account }), ownKeys: true },
          ...(zone === undefined ? {} : { zone: place(source, `zones/${zone}`) }),
        }),
        project: directory({
          attributes: { ...directory({}), ownKeys: true },
          'numeric-project-id': value(async () => numeric(await source.projectNumber())),
          'project-id': value(source.projectId),
        }),
        universe: directory({ 'universe-domain': fixed('googleapis.com') }),
      }),
    }),
  });
}

function serviceAccount({ email, scopes }: MetadataSource): Directory {
  return directory({
    aliases: fixed(['default']),
    email: fixed(email),
    identity: { kind: 'identity-token' },
    scopes: fixed(scopes),
    token: { kind: 'access-token' },
  });
}

/** The real servers name places under the project's number; where that may not be read, its id stands there. */
function place(source: MetadataSource, where: string): Entry {
  return value(async () => {
    const project = (await source.projectNumber().catch(() => undefined)) ?? (await source.projectId());
    return project === undefined ? undefined : `projects/${project}/${where}`;
  });
}

function directory(entries: Readonly<Record<string, Entry>>): Directory {
  return { kind: 'directory', entries: new Map(Object.entries(entries)) };
}

function value(read: () => Promise<Value | undefined>): Entry {
  return { kind: 'value', read };
}

function fixed(known: Value): Entry {
  return value(() => Promise.resolve(known));
}

function numeric(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
