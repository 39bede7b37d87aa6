import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Discovery } from '../../../lib/cli/engine.ts';
import type { ClusterInfo } from '../../../lib/model/cluster.ts';
import { clusterId } from '../../../lib/model/stream.ts';
import { runCommand } from '../../support/command-line.ts';

const ready: ClusterInfo = {
  id: clusterId('uid-1'),
  name: 'prod',
  aliases: [],
  sources: ['kubeconfig'],
  server: 'https://prod:6443',
  namespace: 'apps',
  isDefault: true,
  version: 'v1.36.2',
};
const { id: _, version: __, ...unreached } = { ...ready, name: 'old', server: 'https://old:6443', isDefault: false };
const down: ClusterInfo = { ...unreached, error: 'Cannot reach https://old:6443: connection refused' };

async function clusters(flags: string, found: readonly ClusterInfo[], problems: Discovery['problems'] = []) {
  const discovery = { clusters: found, problems, close: async () => {} };
  return runCommand(`clusters ${flags}`, { engine: { discoverClusters: async () => discovery } });
}

describe('mk8s clusters', () => {
  test('lists clusters as kubectl would, the default one marked', async () => {
    const { stdout, code } = await clusters('', [ready, down]);
    const [heading, first, second] = stdout.split('\n');
    expect(heading).toMatch(/^DEFAULT +NAME +STATE +VERSION +SERVER +NAMESPACE +SOURCE +ID$/);
    expect(first).toMatch(/^\* +prod +ready +v1\.36\.2 +https:\/\/prod:6443 +apps +kubeconfig +uid-1$/);
    expect(second).toMatch(/^ +old +error +- +https:\/\/old:6443 +apps +kubeconfig +-$/);
    expect(code).toBe(0);
  });

  test('what went wrong is on stderr, whole', async () => {
    const { stderr } = await clusters(
      '',
      [ready, down],
      [{ source: 'kubeconfig', message: 'context "x" of a.yaml is odd' }],
    );
    expect(stderr).toBe(
      'Warning: context "x" of a.yaml is odd\nWarning: cluster "old": Cannot reach https://old:6443: connection refused\n',
    );
  });

  test('json, yaml and names are for programs', async () => {
    expect(JSON.parse((await clusters('-o json', [ready])).stdout)).toEqual({ clusters: [ready] });
    expect(parse((await clusters('-o yaml', [ready])).stdout)).toEqual({ clusters: [ready] });
    expect((await clusters('-o name', [ready, down])).stdout).toBe('prod\nold\n');
  });

  test('where none answers, or none is found, the exit code is 3', async () => {
    expect((await clusters('', [down])).code).toBe(3);
    const none = await clusters('', []);
    expect([none.code, none.stdout]).toEqual([3, '']);
    expect(none.stderr).toContain('No cluster was found: neither KUBECONFIG');
  });
});
