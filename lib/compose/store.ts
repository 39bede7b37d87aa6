// Where a run keeps revisions, checkpoints and leases: a folder on disk, or Firestore, loaded only where it is used.
import type { DataFolder } from '../adapters/disk/data-folder.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import type { Context } from './context.ts';
import { isAlive, thisProcess } from './ownership.ts';

/** What a run needs of its store: all of it but what tailing reads. */
export type RunStore = Omit<DataFolder, 'feed' | 'subscriptions'>;

/** Throws Mk8sError `storage` or `full` where the folder cannot be opened; Firestore is asked at the first use. */
export async function openStore(config: Config, context: Pick<Context, 'env'>): Promise<RunStore> {
  const { host } = thisProcess();
  if (config.store === 'disk') {
    const { openDataFolder } = await import('../adapters/disk/data-folder.ts');
    return openDataFolder({ path: config.data, clock: systemClock, host, isAlive });
  }
  const { project, database } = parseFirestore(config.store);
  const [{ firestoreDocuments }, { openFirestoreStore }] = await Promise.all([
    import('../adapters/firestore/firestore-documents.ts'),
    import('../adapters/firestore/firestore-store.ts'),
  ]);
  // The emulator asks nobody who he is, and there need be no identity beside it.
  const identity = context.env['FIRESTORE_EMULATOR_HOST']
    ? undefined
    : await (await import('./google.ts')).googleTokens(config, context);
  const documents = firestoreDocuments({
    project,
    database,
    ...(identity === undefined ? {} : { tokens: identity.tokens }),
  });
  const { index, count } = config.shard;
  const store = openFirestoreStore({ documents, clock: systemClock, share: `${index}-of-${count}`, host, isAlive });
  return {
    ...store,
    async close() {
      await store.close();
      await identity?.close();
    },
  };
}

function parseFirestore(store: string): { readonly project: string; readonly database: string } {
  const [project = '', database = '(default)'] = store.slice('firestore://'.length).split('/');
  return { project, database };
}
