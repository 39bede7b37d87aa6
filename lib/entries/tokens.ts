// The function that mints tokens, for an image: `functions-framework --source=dist/bundle/tokens.mjs --target=tokens`. It runs as a service
// account of its own, with power over clusters that the other one has not.
import { openForFramework } from '../compose/framework.ts';

export const tokens = await openForFramework('tokens');
