// The function that mints tokens: `functions-framework --source=functions/tokens.ts --target=tokens`. It runs as a service account of
// its own, with power over clusters that the other one has not.
import { openForFramework } from '../lib/compose/framework.ts';

export const tokens = await openForFramework('tokens');
