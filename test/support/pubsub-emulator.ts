// Google's Pub/Sub emulator, on loopback, where gcloud has installed it. Tests that need it are skipped elsewhere.
//
// Not as production (seen with 0.8.20): filters are stored and ignored, messages over 10 MB are accepted, a nack does not
// bring later messages of the key again, and nothing is ever denied. fake-pubsub.ts stands in for those.
import { emulatorPlace } from './emulator-place.ts';
import { freePort, onFreePorts } from './free-port.ts';
import { type RunningProcess, startProcess } from './process.ts';

/** It takes three seconds; on a machine on which much else runs, more. */
const slowStartMs = 120_000;

export interface PubsubEmulator extends AsyncDisposable {
  /** `127.0.0.1:PORT`, for PUBSUB_EMULATOR_HOST. */
  readonly host: string;
  /** SIGSTOP: connections stay open, and silent, until `thaw`. */
  freeze(): void;
  thaw(): void;
}

const installed = emulatorPlace('pubsub-emulator', /^cloud-pubsub-emulator-.*-all\.jar$/);

/** Why it cannot be started here, for the name of a test that is skipped; undefined where it can. */
export const noPubsubEmulator = 'missing' in installed ? installed.missing : undefined;

export async function startPubsubEmulator(): Promise<PubsubEmulator> {
  if ('missing' in installed)
    throw new Error(`${installed.missing}: guard with skipIf(noPubsubEmulator !== undefined)`);
  const { jar } = installed;
  return await onFreePorts(async () => {
    const port = await freePort();
    const running = startProcess('java', [...javaFlags, '-jar', jar, '--host=127.0.0.1', `--port=${port}`]);
    await ready(running);
    return {
      host: `127.0.0.1:${port}`,
      freeze: () => running.signal('SIGSTOP'),
      thaw: () => running.signal('SIGCONT'),
      [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    };
  });
}

/** Without a bound it grows to 2.9 GB. */
const javaFlags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

async function ready(running: RunningProcess): Promise<void> {
  try {
    await running.waitFor('readiness', ({ stderr }) => stderr.includes('Server started, listening on'), slowStartMs);
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}
