// A process of one of Google's emulators, which are Java programs that are started and watched alike.
import type { EmulatorPlace } from './emulator-place.ts';
import { freePort, onFreePorts } from './free-port.ts';
import { type RunningProcess, startProcess } from './process.ts';

export interface Emulator extends AsyncDisposable {
  /** `127.0.0.1:PORT`, for FIRESTORE_EMULATOR_HOST or PUBSUB_EMULATOR_HOST. */
  readonly host: string;
  /** SIGSTOP: connections stay open, and silent, until `thaw`. */
  freeze(): void;
  thaw(): void;
}

/** They take three seconds; on a machine on which much else runs, more. */
const slowStartMs = 120_000;

/** Without a bound, that of Pub/Sub grows to 2.9 GB. */
const javaFlags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Resolves when it has written `readyLine`, on stdout or stderr. `main`: what Java is to run of the jar. */
export async function startEmulator(
  place: EmulatorPlace,
  main: (jar: string) => readonly string[],
  readyLine: string,
): Promise<Emulator> {
  if ('missing' in place) throw new Error(`${place.missing}: guard the test with skipIf`);
  const { jar } = place;
  return await onFreePorts(async () => {
    const port = await freePort();
    const running = startProcess('java', [...javaFlags, ...main(jar), '--host=127.0.0.1', `--port=${port}`]);
    await ready(running, readyLine);
    return {
      host: `127.0.0.1:${port}`,
      freeze: () => running.signal('SIGSTOP'),
      thaw: () => running.signal('SIGCONT'),
      [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    };
  });
}

async function ready(running: RunningProcess, line: string): Promise<void> {
  try {
    await running.waitFor('readiness', ({ stdout, stderr }) => `${stdout}${stderr}`.includes(line), slowStartMs);
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
}
