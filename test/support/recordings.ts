// Reads wire recordings of real API servers, in place. MK8S_RECORDINGS names their folder; tests that need them are
// skipped where it is absent.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the recordings, undefined where there is none. */
export const recordings = existing(process.env['MK8S_RECORDINGS']);

export interface RecordedExchange {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly query: URLSearchParams;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  readonly response: {
    readonly status: number;
    /** Lower-case names. */
    readonly headers: Readonly<Record<string, string>>;
    /** Without chunk framing; gzipped where the headers say so. */
    readonly body: Buffer;
  };
}

/** Reads NAME.req and NAME.res, e.g. `v1.36.2/20-list/full`. */
export function recordedExchange(name: string): RecordedExchange {
  if (recordings === undefined)
    throw new Error('MK8S_RECORDINGS is not set: guard the test with test.skipIf(!recordings)');
  const sent = split(readFileSync(join(recordings, `${name}.req`)));
  const received = split(readFileSync(join(recordings, `${name}.res`)));
  const [method = '', target = ''] = sent.first.split(' ');
  const url = new URL(target, 'https://recorded');
  return {
    request: {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: sent.headers,
      body: sent.body.toString('utf8'),
    },
    response: { status: Number(received.first.split(' ')[1]), headers: received.headers, body: received.body },
  };
}

function split(bytes: Buffer): { first: string; headers: Record<string, string>; body: Buffer } {
  const end = bytes.indexOf('\r\n\r\n');
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { first, headers, body: bytes.subarray(end + 4) };
}

function existing(folder: string | undefined): string | undefined {
  return folder !== undefined && existsSync(folder) ? folder : undefined;
}
