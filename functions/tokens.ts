// The function that mints tokens, from a clone: `functions-framework --source=functions/tokens.ts --target=tokens`. An image has it
// bundled (rolldown.config.ts), which starts sooner.
export { tokens } from '../lib/entries/tokens.ts';
