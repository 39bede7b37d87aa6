// The function that lists clusters, from a clone: `functions-framework --source=functions/clusters.ts --target=clusters`. An image has
// it bundled (rolldown.config.ts), which starts sooner.
export { clusters } from '../lib/entries/clusters.ts';
