// A real etcd of one member, with snapshots, restore and compaction.
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { type RunningProcess, startProcess } from './process.ts';

const run = promisify(execFile);

export interface Etcd {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Writes all of the store, as it is now, to a file. */
  snapshot(file: string): Promise<void>;
  /** Replaces the store by a snapshot's: revisions go back to that time's. Only while it is not running. */
  restore(file: string): Promise<void>;
  /** Forgets all revisions before the current one; returns that one. */
  compact(): Promise<number>;
}

/** Prepares an etcd whose files live in `folder`; nothing runs until `start`. */
export async function createEtcd(assets: string, folder: string): Promise<Etcd> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const peer = `http://127.0.0.1:${await freePort()}`;
  const member = ['--name', 'one', '--initial-cluster', `one=${peer}`, '--initial-advertise-peer-urls', peer];
  let generation = 0;
  let running: RunningProcess | undefined;
  const data = (): string => join(folder, `etcd-${generation}`);
  const ctl = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, ETCDCTL_API: '3' };
    return (await run(join(assets, 'etcdctl'), ['--endpoints', url, ...args], { env })).stdout;
  };
  return {
    url,
    async start() {
      await mkdir(data(), { recursive: true, mode: 0o700 });
      const flags = ['--data-dir', data(), ...member, '--listen-peer-urls', peer];
      const clients = ['--listen-client-urls', url, '--advertise-client-urls', url];
      // Bookmarks on quiet resources follow these notices; production has minutes, tests have not.
      const notify = ['--experimental-watch-progress-notify-interval', '1s', '--snapshot-count', '5000'];
      running = startProcess(join(assets, 'etcd'), [...flags, ...clients, ...notify]);
      await running.waitFor('readiness', ({ stderr }) => stderr.includes('ready to serve client requests'));
    },
    async kill() {
      await running?.kill();
      running = undefined;
    },
    async snapshot(file) {
      await ctl('snapshot', 'save', file);
    },
    async restore(file) {
      await rm(data(), { recursive: true, force: true });
      generation += 1;
      await ctl('snapshot', 'restore', file, '--data-dir', data(), ...member);
    },
    async compact() {
      const [status] = JSON.parse(await ctl('endpoint', 'status', '-w', 'json')) as [
        { Status: { header: { revision: number } } },
      ];
      await ctl('compact', String(status.Status.header.revision));
      return status.Status.header.revision;
    },
  };
}
