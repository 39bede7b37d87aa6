// The function that lists clusters: `functions-framework --source=functions/clusters.ts --target=clusters`. Configured by MK8S_…
// variables, as `mk8s serve` is; MK8S_SERVE_URL is its own URL, MK8S_SERVE_TOKENS_URL the other function's.
import { openForFramework } from '../lib/compose/framework.ts';

export const clusters = await openForFramework('clusters');
