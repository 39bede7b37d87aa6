// Reads sockets without new memory for each read, and in large reads where a body may be read ahead so far. Node makes a
// buffer of up to 64 KiB for every read of a socket, and node:http copies the body out of it; collecting those buffers took
// a sixth to a quarter of the processor time of receiving and decoding a watch in full flow (Node 24, plain and TLS).
// Reads of 1 MiB instead of 64 KiB took another fifth off, plain; TLS hands out a record of at most 16 KiB at a time.
import type { OnReadOpts, Socket } from 'node:net';

/** As large as Node's own. */
const USUAL_BYTES = 64 * 1024;

const MOST_BYTES = 1024 * 1024;

/**
 * One for all connections: libuv and TLS fill it and tell its socket in one go, and node:http's parser, the only one who
 * reads it, copies what it hands on before it returns.
 */
const shared = Buffer.allocUnsafeSlow(MOST_BYTES);

const resizers = new WeakMap<object, (bytes: number) => void>();

/**
 * Opens a socket whose data events carry views into a buffer that the next read overwrites. What nobody listens to (yet)
 * is copied and kept by the socket, as it always is. `sizes`: 'fixed' for TLS, which gains nothing by large reads.
 */
export function reusingReads<Opened extends Socket>(
  sizes: 'fixed' | 'by window',
  open: (options: { onread: OnReadOpts }) => Opened,
): Opened {
  let place = shared.subarray(0, USUAL_BYTES);
  const socket = open({
    onread: {
      buffer: sizes === 'fixed' ? place : () => place,
      callback: (length) => {
        if (socket.readableFlowing !== true || socket.readableLength > 0) {
          return socket.push(Buffer.from(shared.subarray(0, length)));
        }
        socket.emit('data', shared.subarray(0, length));
        return true;
      },
    },
  });
  if (sizes === 'by window') {
    resizers.set(socket, (bytes) => {
      place = shared.subarray(0, bytes);
    });
  }
  return socket;
}

/**
 * Sets how much of a socket is read at a time while a body of which `windowBytes` may be read ahead comes from it, and
 * returns it: as much can arrive after the body's reader found that it has enough, so it is a part of the window. It holds
 * from the next read but one, until `endWindow`.
 */
export function beginWindow(socket: object, windowBytes: number): number {
  const resize = resizers.get(socket);
  if (resize === undefined) return Math.min(USUAL_BYTES, windowBytes / 2);
  const bytes = Math.min(MOST_BYTES, Math.ceil((windowBytes * 3) / 4));
  resize(bytes);
  return bytes;
}

export function endWindow(socket: object): void {
  resizers.get(socket)?.(USUAL_BYTES);
}
