// Ports for servers that cannot be asked which one they took.
import { createServer } from 'node:net';
import { messageOf } from '../../lib/model/errors.ts';

const given = new Set<number>();

/**
 * A loopback port that is free now, below the ranges from which systems take the ports of outgoing connections (from 32768
 * on Linux, from 16000 in gVisor): a server that is stopped and started again finds it free. No two calls of one process
 * get the same; other processes may take it before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 6_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

/** Starts what listens on ports of `freePort`, and again, on other ones, where another process was faster. */
export async function onFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start();
    } catch (error) {
      if (tries === 5 || !/address already in use|EADDRINUSE/i.test(messageOf(error))) throw error;
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
