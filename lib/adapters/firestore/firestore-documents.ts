// Documents over Google's library. Imported at the first use: it takes half a second.
import type { CollectionReference, Firestore, WriteBatch } from '@google-cloud/firestore';
import type { TokenSource } from '../../ports/token-source.ts';
import { authClient } from '../google-api/auth-client.ts';
import type { Document, Documents, Fields, Query, Write } from './documents.ts';
import { type FirestorePlace, firestoreError } from './firestore-error.ts';

export interface FirestoreDocumentsOptions extends FirestorePlace {
  /** Undefined for the emulator (FIRESTORE_EMULATOR_HOST), which wants none. */
  readonly tokens?: TokenSource;
}

type Library = typeof import('@google-cloud/firestore');

export function firestoreDocuments({ project, database, tokens }: FirestoreDocumentsOptions): Documents {
  let opened: Promise<{ library: Library; db: Firestore }> | undefined;

  async function open(): Promise<{ library: Library; db: Firestore }> {
    const library = await import('@google-cloud/firestore');
    // The library takes it for its transport, though its type does not name it.
    const auth = tokens === undefined ? {} : { authClient: authClient(await import('google-auth-library'), tokens) };
    return { library, db: new library.Firestore({ projectId: project, databaseId: database, ...auth }) };
  }

  async function ask<T>(attempted: string, body: (db: Firestore, library: Library) => Promise<T>): Promise<T> {
    try {
      opened ??= open();
      const { db, library } = await opened;
      return await body(db, library);
    } catch (error) {
      throw firestoreError(error, attempted, { project, database }, tokens);
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
