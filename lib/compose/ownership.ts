// Who this run is, and that it alone works on its share of the data folder (promise 6).
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { LeaseKeeper } from '../bridge/lease-keeper.ts';
import type { Config } from '../config/options.ts';
import { Mk8sError } from '../model/errors.ts';
import type { Holder } from '../ports/lease-store.ts';

export function thisProcess(): Holder {
  const host = hostname();
  return { id: randomUUID(), description: `${host}, pid ${process.pid}`, host, pid: process.pid };
}

/** Takes the lease of the store and shard. Throws Mk8sError `fenced` that says who has it. */
export async function ownStore(config: Config, leases: LeaseKeeper): Promise<{ release(): Promise<void> }> {
  const { index, count } = config.shard;
  const answer = await leases.acquire(`run/${index}-of-${count}`);
  if (!('holder' in answer)) return answer;
  const isDisk = config.store === 'disk';
  const name = isDisk ? `data folder "${config.data}"` : `store "${config.store}"`;
  const share =
    count > 1 ? `Share ${index} of ${count} of ${name}` : name.replace(/^./, (first) => first.toUpperCase());
  throw new Mk8sError(
    `${share} is in use by another run (${answer.holder.description}). Stop that one, wait until its lease ends (${new Date(answer.expiresAt).toISOString()}), or choose another ${isDisk ? 'folder with --data' : 'one with --store'}.`,
    { code: 'fenced' },
  );
}

/** A lease of our own process number is of an earlier life: a container that was started again. */
export function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
