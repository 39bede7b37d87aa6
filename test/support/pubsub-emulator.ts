// Google's Pub/Sub emulator, on loopback, where gcloud has installed it. Tests that need it are skipped elsewhere.
//
// Not as production (seen with 0.8.20): filters are stored and ignored, messages over 10 MB are accepted, a nack does not
// bring later messages of the key again, and nothing is ever denied. fake-pubsub.ts stands in for those.
import { emulatorPlace } from './emulator-place.ts';
import { type Emulator, startEmulator } from './emulator-process.ts';

export type PubsubEmulator = Emulator;

const place = emulatorPlace('pubsub-emulator', /^cloud-pubsub-emulator-.*-all\.jar$/);

/** Why it cannot be started here, for the name of a test that is skipped; undefined where it can. */
export const noPubsubEmulator = 'missing' in place ? place.missing : undefined;

export function startPubsubEmulator(): Promise<PubsubEmulator> {
  return startEmulator(place, (jar) => ['-jar', jar], 'Server started, listening on');
}
