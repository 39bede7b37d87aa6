// The end-to-end cases on two real API servers, each with its own etcd.
import { describe } from 'vitest';
import { kubeAssets } from '../support/kube-apiserver.ts';
import { realCluster } from '../support/real-cluster.ts';
import { describeBridge } from './bridge-suite.ts';

describe.skipIf(kubeAssets === undefined)('on real API servers (KUBEBUILDER_ASSETS)', () => {
  describeBridge('the bridge', () => Promise.all([realCluster('east'), realCluster('west')]));
});
