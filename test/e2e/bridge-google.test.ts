// The end-to-end cases with the record in Firestore and a subscriber of Pub/Sub, on Google's emulators.
import { afterAll, beforeAll, describe } from 'vitest';
import { noFirestoreEmulator } from '../support/firestore-emulator.ts';
import { type GoogleEmulators, googleHome, startGoogleEmulators } from '../support/google-home.ts';
import { noPubsubEmulator } from '../support/pubsub-emulator.ts';
import { sandboxPair } from '../support/sandbox-pair.ts';
import { describeBridge } from './bridge-suite.ts';

const missing = noFirestoreEmulator ?? noPubsubEmulator;

describe.skipIf(missing !== undefined)(`with Google's emulators (${missing ?? 'found'})`, () => {
  let emulators: GoogleEmulators;
  beforeAll(async () => {
    emulators = await startGoogleEmulators();
  }, 150_000);
  afterAll(() => emulators?.[Symbol.asyncDispose]());

  describeBridge('the bridge', sandboxPair, (folder) => googleHome(folder, emulators));
});
