// A genuine kube-apiserver with its own etcd, on loopback, in a folder that goes away with it. KUBEBUILDER_ASSETS names
// the folder of the binaries, as envtest has it; tests that need them are skipped where it is absent.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterClient, type ClusterEndpoint, clusterClient } from './cluster-client.ts';
import { createEtcd, type Etcd } from './etcd.ts';
import { freePort, onFreePorts } from './free-port.ts';
import { type RunningProcess, startProcess } from './process.ts';

/** It takes seconds; on a machine on which much else runs, more than half a minute was seen. */
const slowStartMs = 120_000;

/** The folder of kube-apiserver, etcd and etcdctl, undefined where there is none. */
export const kubeAssets = usable(process.env['KUBEBUILDER_ASSETS']);

export interface KubeApiServer extends ClusterEndpoint, AsyncDisposable {
  /** Its files; goes away with it. */
  readonly folder: string;
  /** Requests as `admin` (system:masters). */
  readonly client: ClusterClient;
  /** SIGKILL of the API server; etcd stays. */
  kill(): Promise<void>;
  /** Starts the API server again on the same port and etcd; kills it first where it runs. */
  restart(): Promise<void>;
  /** SIGSTOP of the API server: its connections stay open, and silent, until `thaw`. */
  freeze(): void;
  thaw(): void;
  killEtcd(): Promise<void>;
  restartEtcd(): Promise<void>;
  /** Writes etcd's whole state to a file. */
  snapshot(file: string): Promise<void>;
  /** The cluster restored from a backup: the same kube-system uid, and resourceVersions that went back. */
  restore(file: string): Promise<void>;
  /** Compacts etcd at its current revision. (A watch cache answers from its own history: restart to see 410 there.) */
  compact(): Promise<number>;
}

/**
 * Starts one; it needs about 290 MB and 3 to 6 seconds, so tests share it where they can. RBAC is on, `admin` may
 * everything, TokenRequest works. No controllers run: namespaces that are deleted stay `Terminating`.
 */
export async function startKubeApiServer(): Promise<KubeApiServer> {
  if (kubeAssets === undefined) throw new Error('KUBEBUILDER_ASSETS is not set: guard with skipIf(!kubeAssets)');
  const assets = kubeAssets;
  return await onFreePorts(() => startOnce(assets));
}

async function startOnce(assets: string): Promise<KubeApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'mk8s-kube-'));
  const etcd = await createEtcd(assets, folder);
  const token = randomBytes(16).toString('hex');
  const url = `https://127.0.0.1:${await freePort()}`;
  await writeCredentials(folder, token);
  const start = (): RunningProcess => startApiServer(assets, folder, url, etcd.url);
  await etcd.start().catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  let running = start();
  try {
    const ca = await running.waitFor(
      'its certificate',
      ({ stderr }) => stderr.includes('Serving securely') && certificate(folder),
      slowStartMs,
    );
    const endpoint = { url, token, ca };
    const client = clusterClient(endpoint);
    await ready(client, running);
    const restart = async (): Promise<void> => {
      await running.kill();
      running = start();
      await ready(client, running);
    };
    return {
      ...endpoint,
      folder,
      client,
      kill: async () => void (await running.kill()),
      restart,
      freeze: () => running.signal('SIGSTOP'),
      thaw: () => running.signal('SIGCONT'),
      killEtcd: () => etcd.kill(),
      restartEtcd: () => etcd.start(),
      snapshot: (file) => etcd.snapshot(file),
      compact: () => etcd.compact(),
      async restore(file) {
        await running.kill();
        await etcd.kill();
        await etcd.restore(file);
        await etcd.start();
        await restart();
      },
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]();
        await tearDown(running, etcd, folder);
      },
    };
  } catch (error) {
    await tearDown(running, etcd, folder);
    throw error;
  }
}

async function tearDown(running: RunningProcess, etcd: Etcd, folder: string): Promise<void> {
  await running.kill();
  await etcd.kill();
  await rm(folder, { recursive: true, force: true });
}

async function writeCredentials(folder: string, token: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(join(folder, 'service-account.key'), key, { mode: 0o600 });
  await writeFile(join(folder, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
}

function startApiServer(assets: string, folder: string, url: string, etcd: string): RunningProcess {
  const flags = {
    'etcd-servers': etcd,
    'etcd-compaction-interval': '0',
    'bind-address': '127.0.0.1',
    'secure-port': new URL(url).port,
    // It makes its own serving certificate there.
    'cert-dir': join(folder, 'certificates'),
    'token-auth-file': join(folder, 'tokens.csv'),
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': join(folder, 'service-account.key'),
    'service-account-signing-key-file': join(folder, 'service-account.key'),
    'service-cluster-ip-range': '10.0.0.0/24',
    'disable-admission-plugins': 'ServiceAccount',
    // Bookmarks on quiet resources, as newer servers have them without asking.
    'feature-gates': 'EfficientWatchResumption=true',
    profiling: 'false',
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return startProcess(join(assets, 'kube-apiserver'), args, { env: { GOGC: '50' } });
}

/** The certificate and the authority that signed it, once both are written. */
function certificate(folder: string): string | undefined {
  const file = join(folder, 'certificates', 'apiserver.crt');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

async function ready(client: ClusterClient, running: RunningProcess): Promise<void> {
  let ended: string | undefined;
  void running.exit.then(() => {
    ended = running.stderr().slice(-4000);
  });
  for (;;) {
    const answers = await Promise.all([
      client.request('GET', '/readyz').catch(() => undefined),
      client.request('GET', '/api/v1/namespaces/kube-system').catch(() => undefined),
      client.request('GET', '/api/v1/namespaces/default').catch(() => undefined),
    ]);
    if (answers.every((answer) => answer?.status === 200)) return;
    if (ended !== undefined) throw new Error(`kube-apiserver ended while it was starting:\n${ended}`);
    await delay(50);
  }
}

function usable(folder: string | undefined): string | undefined {
  const complete =
    folder !== undefined && ['kube-apiserver', 'etcd', 'etcdctl'].every((name) => existsSync(join(folder, name)));
  return complete ? folder : undefined;
}
