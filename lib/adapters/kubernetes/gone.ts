// Is a resource gone for good? Discovery alone can't say: an API server that is starting does not list its CRDs yet, and an
// aggregated API whose server is down is missing too. Tombstones for a whole stream need proof.
import { parseStatus } from '../../decode/status.ts';
import type { GroupResource } from '../../model/resource.ts';
import { formatGroupResource } from '../../model/resource.ts';
import { isRecord } from './client-object.ts';
import { exchange, readJson, readText, type Target } from './rest.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const API_SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';

/**
 * True only where the cluster itself says that there is no CustomResourceDefinition of that name (its own NotFound, read
 * from its store) and that no other server is registered for the group. Where it may not be asked: false.
 * Throws Mk8sError where the cluster cannot be reached.
 */
export async function isGoneForGood(target: Target, resource: GroupResource, signal: AbortSignal): Promise<boolean> {
  // The core group is every API server's own, and no CRD's: that there is none of that name says nothing.
  if (resource.group === '') return false;
  const name = formatGroupResource(resource);
  const attempt = `see whether ${name} is still defined`;
  const definition = await exchange(target, { path: `${DEFINITIONS}/${name}`, signal }, attempt);
  // A text/plain 404 comes from a server that does not serve definitions yet.
  const status = parseStatus(await readText(definition), definition.status);
  if (definition.status !== 404 || status.reason !== 'NotFound' || status.details?.name !== name) return false;
  return !(await isServedElsewhere(target, resource.group, attempt, signal));
}

/** Whether an APIService hands the group to another server. An API server without aggregation has none. */
async function isServedElsewhere(
  target: Target,
  group: string,
  attempt: string,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await exchange(target, { path: API_SERVICES, signal }, attempt);
  if (answer.status !== 200) {
    await readText(answer);
    return answer.status !== 404;
  }
  const list = await readJson(target, answer, attempt, signal);
  const items = isRecord(list) && Array.isArray(list['items']) ? (list['items'] as unknown[]) : [];
  return items.some((item) => {
    const spec = isRecord(item) && isRecord(item['spec']) ? item['spec'] : {};
    return spec['group'] === group && isRecord(spec['service']);
  });
}
