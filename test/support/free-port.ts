// Ports for servers that cannot be asked which one they took.
import { createServer } from 'node:net';

/**
 * A loopback port that is free now, below the range from which systems take the ports of outgoing connections
 * (32768 on Linux): a server that is stopped and started again finds it free.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
