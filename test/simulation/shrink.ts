// Makes a failing profile as small as it can be and still break the same promise: fewer faults, steps, clusters, parts.
import type { BridgeSettings } from './bridge-process.ts';
import { faultNames, withoutFault } from './faults.ts';
import type { Profile } from './profile.ts';
import { type Failure, runWorld } from './world.ts';

/** More runs than this are not worth the wait. */
const MOST_RUNS = 300;

/** The smallest profile found that fails as `failure` does. `onSmaller` hears of each. */
export async function shrink(profile: Profile, failure: Failure): Promise<Profile> {
  let smallest = profile;
  let runs = 0;
  for (let again = true; again; ) {
    again = false;
    for (const candidate of smaller(smallest)) {
      runs += 1;
      if (runs > MOST_RUNS) return smallest;
      const outcome = await runWorld(candidate);
      if (outcome.failure?.promise !== failure.promise) continue;
      smallest = candidate;
      again = true;
      break;
    }
  }
  return smallest;
}

/** Everything that is a little less, the greatest savings first. */
function smaller(profile: Profile): readonly Profile[] {
  const { steps, clusters, resources, objects, sinks, tails, lateWrites, rates, settings } = profile;
  const less = (part: Partial<Profile>): Profile => ({ ...profile, ...part });
  const found: Profile[] = [];
  if (steps > 1) found.push(less({ steps: Math.floor(steps / 2) }), less({ steps: Math.floor((steps * 4) / 5) }));
  for (const [fault] of faultNames(rates)) found.push(less({ rates: withoutFault(rates, fault) }));
  if (clusters > 1) found.push(less({ clusters: clusters - 1, honest: profile.honest && clusters > 2 }));
  if (resources > 1) found.push(less({ resources: resources - 1 }));
  if (objects > 1) found.push(less({ objects: Math.floor(objects / 2) }));
  if (sinks > 0) found.push(less({ sinks: sinks - 1 }));
  if (tails > 0) found.push(less({ tails: tails - 1 }));
  if (lateWrites > 0) found.push(less({ lateWrites: 0 }));
  if (profile.store === 'firestore') found.push(less({ store: 'disk' }));
  for (const simpler of simplerSettings(settings)) found.push(less({ settings: simpler }));
  if (steps > 1) found.push(less({ steps: steps - 1 }));
  return found.filter((candidate) => JSON.stringify(candidate) !== JSON.stringify(profile));
}

function simplerSettings(settings: BridgeSettings): readonly BridgeSettings[] {
  const { wanted } = settings;
  return [
    { ...settings, status: false },
    { ...settings, retention: undefined },
    { ...settings, ignoreNoop: false },
    { ...settings, wanted: { ...wanted, namespaces: [] } },
    { ...settings, wanted: { ...wanted, resources: [] } },
    { ...settings, memory: 1024 * 1024 },
    { ...settings, syncs: 8 },
    { ...settings, watchSeconds: [300, 600] },
  ];
}
