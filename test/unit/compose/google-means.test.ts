import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clusterStandsForUs } from '../../../lib/compose/google-means.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface There {
  readonly named?: boolean;
  readonly variable?: boolean;
  readonly file?: boolean;
  readonly metadata?: boolean;
  readonly cluster?: boolean;
}

/** The decision, and what was asked for it. */
async function decide(there: There): Promise<{ stands: boolean; asked: readonly string[] }> {
  await using folder = await temporaryFolder();
  if (there.file === true) {
    const gcloud = join(folder.path, '.config/gcloud');
    await mkdir(gcloud, { recursive: true });
    await writeFile(join(gcloud, 'application_default_credentials.json'), '{}');
  }
  const flags = there.named === true ? { 'google.kubernetesServiceAccount': 'default/default' } : {};
  const { config } = await loadConfig({ env: {}, cwd: folder.path, command: 'credential', flags });
  const asked: string[] = [];
  const answer = (what: 'metadata' | 'cluster') => async (): Promise<boolean> => {
    asked.push(what);
    return there[what] === true;
  };
  const stands = await clusterStandsForUs(config, {
    env: there.variable === true ? { GOOGLE_APPLICATION_CREDENTIALS: '/key.json' } : {},
    folder: folder.path,
    metadata: { isAvailable: answer('metadata') },
    hasCluster: answer('cluster'),
  });
  return { stands, asked };
}

describe('a cluster stands for us at Google', () => {
  test.each<[string, There, boolean, readonly string[]]>([
    [
      'where a service account is named, whatever else there is',
      { named: true, variable: true, metadata: true },
      true,
      [],
    ],
    ['not where a credentials file is named', { variable: true, cluster: true }, false, []],
    ['not where gcloud has one', { file: true, cluster: true }, false, []],
    ['not on Google Cloud', { metadata: true, cluster: true }, false, ['metadata']],
    ['where there is nothing else', { cluster: true }, true, ['metadata', 'cluster']],
    ['not where there is none', {}, false, ['metadata', 'cluster']],
  ])('%s, and asks no more than it needs', async (_, there, stands, asked) => {
    expect(await decide(there)).toEqual({ stands, asked });
  });
});
