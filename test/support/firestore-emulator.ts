// Google's Firestore emulator, on loopback, where gcloud has installed it. Tests that need it are skipped elsewhere.
//
// Not as production (seen with 1.21): a commit over 10 MiB hangs, indexes are not asked for, and nothing is ever denied.
import { emulatorPlace } from './emulator-place.ts';
import { freePort, onFreePorts } from './free-port.ts';
import { type RunningProcess, startProcess } from './process.ts';

/** It takes three seconds; on a machine on which much else runs, more. */
const slowStartMs = 120_000;

export interface FirestoreEmulator extends AsyncDisposable {
  /** `127.0.0.1:PORT`, for FIRESTORE_EMULATOR_HOST. */
  readonly host: string;
  /** SIGSTOP: connections stay open, and silent, until `thaw`. */
  freeze(): void;
  thaw(): void;
}

const installed = emulatorPlace('cloud-firestore-emulator', /^cloud-firestore-emulator\.jar$/);

/** Why it cannot be started here, for the name of a test that is skipped; undefined where it can. */
export const noFirestoreEmulator = 'missing' in installed ? installed.missing : undefined;

export async function startFirestoreEmulator(): Promise<FirestoreEmulator> {
  if ('missing' in installed)
    throw new Error(`${installed.missing}: guard with skipIf(noFirestoreEmulator !== undefined)`);
  const { jar } = installed;
  return await onFreePorts(async () => {
    const port = await freePort();
    const main = ['-cp', jar, 'com.google.cloud.datastore.emulator.firestore.CloudFirestore', 'start'];
    const running = startProcess('java', [...javaFlags, ...main, '--host=127.0.0.1', `--port=${port}`]);
    await ready(running);
    return {
      host: `127.0.0.1:${port}`,
      freeze: () => running.signal('SIGSTOP'),
      thaw: () => running.signal('SIGCONT'),
      [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    };
  });
}

const javaFlags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

async function ready(running: RunningProcess): Promise<void> {
  try {
    const started = ({ stdout, stderr }: { stdout: string; stderr: string }): boolean =>
      `${stdout}${stderr}`.includes('Dev App Server is now running');
    await running.waitFor('readiness', started, slowStartMs);
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}
