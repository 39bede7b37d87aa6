// Documents over Google's library. Imported at the first use: it takes half a second.
import type { CollectionReference, Firestore, WriteBatch } from '@google-cloud/firestore';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import type { TokenSource } from '../../ports/token-source.ts';
import { type Document, type Documents, type Fields, type Query, Refused, type Write } from './documents.ts';

export interface FirestoreDocumentsOptions {
  readonly project: string;
  /** `(default)` is one, too. */
  readonly database: string;
  /** Undefined for the emulator (FIRESTORE_EMULATOR_HOST), which wants none. */
  readonly tokens?: TokenSource;
}

type Library = typeof import('@google-cloud/firestore');

export function firestoreDocuments({ project, database, tokens }: FirestoreDocumentsOptions): Documents {
  const place = `Firestore database "${database}" of project ${project}`;
  const identity = tokens?.identity ?? 'nobody (emulator)';
  let opened: Promise<{ library: Library; db: Firestore }> | undefined;

  async function open(): Promise<{ library: Library; db: Firestore }> {
    const library = await import('@google-cloud/firestore');
    // The library takes it for its transport, though its type does not name it.
    const auth = tokens === undefined ? {} : { authClient: await authClient(tokens) };
    return { library, db: new library.Firestore({ projectId: project, databaseId: database, ...auth }) };
  }

  async function ask<T>(attempted: string, body: (db: Firestore, library: Library) => Promise<T>): Promise<T> {
    try {
      opened ??= open();
      const { db, library } = await opened;
      return await body(db, library);
    } catch (error) {
      throw firestoreError(error, { attempted, place, identity });
    }
  }

  return {
    get: (paths) =>
      ask('read documents', async (db) => {
        if (paths.length === 0) return [];
        const found = await db.getAll(...paths.map((path) => db.doc(path)));
        return found.map((snapshot) => (snapshot.exists ? documentOf(snapshot) : undefined));
      }),
    query: (query) =>
      ask('search documents', async (db) => {
        const found = await searchOf(db.collection(query.collection), query).get();
        return found.docs.map(documentOf);
      }),
    commit: (writes) =>
      ask('write documents', async (db, library) => {
        const batch = db.batch();
        for (const write of writes) add(batch, db, library, write);
        const results = await batch.commit();
        return results.map(({ writeTime }) => versionOf(writeTime));
      }),
    count: (collection) =>
      ask('count documents', async (db) => (await db.collection(collection).count().get()).data().count),
    async close() {
      if (opened !== undefined) await (await opened).db.terminate();
    },
  };
}

async function authClient(tokens: TokenSource) {
  const { OAuth2Client } = await import('google-auth-library');
  const client = new OAuth2Client();
  client.refreshHandler = async () => {
    const { token, expiresAt } = await tokens.get({ kind: 'access' });
    return { access_token: token, expiry_date: expiresAt.getTime() };
  };
  return client;
}

function searchOf(collection: CollectionReference, { where, orderBy, limit, fields }: Query) {
  let search = collection.limit(limit);
  for (const { field, is, value } of where) search = search.where(field, is, value);
  if (orderBy !== undefined) search = search.orderBy(orderBy.field, orderBy.descending === true ? 'desc' : 'asc');
  return fields === undefined ? search : search.select(...fields);
}

function add(batch: WriteBatch, db: Firestore, { Timestamp }: Library, write: Write): void {
  const document = db.doc(write.path);
  switch (write.kind) {
    case 'create':
      return void batch.create(document, write.fields);
    case 'change': {
      const [seconds = 0, nanoseconds = 0] = write.version.split('.').map(Number);
      return void batch.update(document, write.fields, { lastUpdateTime: new Timestamp(seconds, nanoseconds) });
    }
    case 'put':
      return void batch.set(document, write.fields);
    case 'delete':
      return void batch.delete(document);
  }
}

interface Snapshot {
  readonly ref: { readonly path: string };
  readonly updateTime?: { readonly seconds: number; readonly nanoseconds: number } | undefined;
  data(): unknown;
}

function documentOf(snapshot: Snapshot): Document {
  return {
    path: snapshot.ref.path,
    fields: snapshot.data() as Fields,
    version: versionOf(snapshot.updateTime ?? { seconds: 0, nanoseconds: 0 }),
  };
}

function versionOf({ seconds, nanoseconds }: { readonly seconds: number; readonly nanoseconds: number }): string {
  return `${seconds}.${nanoseconds}`;
}

/** Canonical codes: https://grpc.io/docs/guides/status-codes/ */
const grpc = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unauthenticated: 16,
} as const;

function firestoreError(
  error: unknown,
  { attempted, place, identity }: { attempted: string; place: string; identity: string },
): Error {
  if (error instanceof Mk8sError) return error;
  const code = error instanceof Error && 'code' in error ? Number(error.code) : undefined;
  const said = messageOf(error).replace(/\.$/, '');
  const fail = (advice: string, kind: 'storage' | 'full' | 'credentials', retryable: boolean) =>
    new Mk8sError(
      `Cannot ${attempted} in ${place} as ${identity}: ${said}${advice === '' ? '' : `. ${advice}`}`,
      // The cause is not kept: what it was sent with may be in it.
      { code: kind, retryable },
    );
  const isIndex = said.includes('index');
  switch (code) {
    case grpc.alreadyExists:
      return new Refused(error);
    case grpc.failedPrecondition:
      if (isIndex) return fail('Create the indexes of infra/firestore.tf', 'storage', false);
      return new Refused(error);
    case grpc.notFound:
      // A document to change is gone; that of a whole database reads otherwise.
      if (!/database/i.test(said)) return new Refused(error);
      return fail(`Create it: gcloud firestore databases create --database=NAME --location=LOCATION`, 'storage', false);
    case grpc.permissionDenied:
      return fail(
        'Enable firestore.googleapis.com and grant roles/datastore.user: gcloud projects add-iam-policy-binding PROJECT --role roles/datastore.user --member PRINCIPAL',
        'storage',
        false,
      );
    case grpc.unauthenticated:
      return fail('Check the credentials', 'credentials', true);
    case grpc.resourceExhausted:
      return fail('Its quota is used up; recording goes on by itself once there is room', 'full', true);
    case grpc.invalidArgument:
      return fail('', 'storage', false);
    case undefined:
    default:
      return fail('', 'storage', true);
  }
}
