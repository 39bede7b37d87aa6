// Where the data folder lives: a file system of its own that can be filled, where one may be mounted. Elsewhere a stand-in:
// the kernel refuses its processes to write beyond a file's first page, so that writing fails, as on a disk that fails.
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface LimitedDisk extends AsyncDisposable {
  /** A folder on it. */
  readonly path: string;
  /** In words, for the report. */
  readonly kind: string;
  /** Leaves no room. `writers`: the processes that work on it. */
  fill(writers: readonly number[]): Promise<void>;
  free(writers: readonly number[]): Promise<void>;
}

const megabytes = 256;

export async function createLimitedDisk(folder: string, how: 'auto' | 'limit'): Promise<LimitedDisk> {
  const path = join(folder, 'disk');
  await mkdir(path, { mode: 0o700 });
  const mounted = how === 'auto' && (await mount(path));
  return mounted ? tmpfs(path) : fileSizeLimit(path);
}

async function mount(path: string): Promise<boolean> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', path]);
    return true;
  } catch {
    return false;
  }
}

function tmpfs(path: string): LimitedDisk {
  const filler = join(path, 'filler');
  // Also where this process ends without having disposed of it.
  const unmount = (): void => void spawnSync('umount', ['-l', path]);
  process.once('exit', unmount);
  return {
    path,
    kind: `tmpfs of ${megabytes} MiB`,
    async fill() {
      await using file = await open(filler, 'w');
      for (let size = 1024 * 1024; size >= 512; size /= 2) await fillUp(file, Buffer.alloc(size));
    },
    free: () => rm(filler, { force: true }),
    async [Symbol.asyncDispose]() {
      process.off('exit', unmount);
      unmount();
    },
  };
}

/** Writes a block again and again until there is no room for another. */
async function fillUp(file: Awaited<ReturnType<typeof open>>, block: Buffer): Promise<void> {
  try {
    for (;;) await file.write(block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function fileSizeLimit(path: string): LimitedDisk {
  const limit = async (writers: readonly number[], size: string): Promise<void> => {
    for (const pid of writers) {
      // One that has just ended has no limits any more.
      await run('prlimit', ['--pid', String(pid), `--fsize=${size}:`]).catch(() => undefined);
    }
  };
  return {
    path,
    kind: 'no file system may be mounted here: a file size limit stands in for a full disk',
    fill: (writers) => limit(writers, '4096'),
    free: (writers) => limit(writers, 'unlimited'),
    async [Symbol.asyncDispose]() {},
  };
}
