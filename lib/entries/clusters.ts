// The function that lists clusters, for an image: `functions-framework --source=dist/bundle/clusters.mjs --target=clusters`. Configured by
// MK8S_… variables, as `mk8s serve` is; MK8S_SERVE_URL is its own URL, MK8S_SERVE_TOKENS_URL the other function's.
import { openForFramework } from '../compose/framework.ts';

export const clusters = await openForFramework('clusters');
