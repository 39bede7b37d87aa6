// Where a run keeps revisions, checkpoints and leases: a folder on disk, or Firestore, loaded only where it is used.
import type { DataFolder } from '../adapters/disk/data-folder.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import type { Context } from './context.ts';
import { isAlive, thisProcess } from './ownership.ts';
import type { SharedGoogle } from './shared-google.ts';

/** What a run needs of its store: all of it but what tailing reads. */
export type RunStore = Omit<DataFolder, 'feed' | 'subscriptions'>;

/** Throws Mk8sError `storage` or `full` where the folder cannot be opened; Firestore is asked at the first use. */
export async function openStore(
  config: Config,
  { env }: Pick<Context, 'env'>,
  google: SharedGoogle,
): Promise<RunStore> {
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
  const own = env['FIRESTORE_EMULATOR_HOST'] ? {} : { tokens: (await google.get()).tokens };
  const documents = firestoreDocuments({ project, database, ...own });
  const { index, count } = config.shard;
  return openFirestoreStore({ documents, clock: systemClock, share: `${index}-of-${count}`, host, isAlive });
}

function parseFirestore(store: string): { readonly project: string; readonly database: string } {
  const [project = '', database = '(default)'] = store.slice('firestore://'.length).split('/');
  return { project, database };
}
