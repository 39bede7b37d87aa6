// Google's Firestore emulator, on loopback, where gcloud has installed it. Tests that need it are skipped elsewhere.
//
// Not as production (seen with 1.21): a commit over 10 MiB hangs, indexes are not asked for, and nothing is ever denied.
import { emulatorPlace } from './emulator-place.ts';
import { type Emulator, startEmulator } from './emulator-process.ts';

export type FirestoreEmulator = Emulator;

const place = emulatorPlace('cloud-firestore-emulator', /^cloud-firestore-emulator\.jar$/);

/** Why it cannot be started here, for the name of a test that is skipped; undefined where it can. */
export const noFirestoreEmulator = 'missing' in place ? place.missing : undefined;

export function startFirestoreEmulator(): Promise<FirestoreEmulator> {
  const main = (jar: string) => ['-cp', jar, 'com.google.cloud.datastore.emulator.firestore.CloudFirestore', 'start'];
  return startEmulator(place, main, 'Dev App Server is now running');
}
