// Credentials in files that something else rewrites: projected service account tokens, client certificates.
import { readFile } from 'node:fs/promises';
import { singleFlight } from '../../async/single-flight.ts';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import { bearer, type ClientCertificate, type Credential, type Credentials } from './credentials.ts';

// kubelet rewrites a projected token at 80 % of its life (an hour by default), so 10 s is soon enough and still
// almost free. client-go reads token files once a minute, certificates every five.
const MAX_AGE_MS = 10_000;

/** A token file: re-read when 10 s have passed since the last look, and when a fresh credential is asked for. */
export function tokenFileCredentials(path: string, now: () => number): Credentials {
  return rereading(now, async () => bearer((await read(path, 'token file')).trim(), `file ${path}`));
}

/** Where a client certificate or its key comes from. */
export type PemOrigin = { readonly pem: string } | { readonly file: string };

/** A client certificate whose parts are in files; re-read as token files are. */
export function certificateFileCredentials(certificate: PemOrigin, key: PemOrigin, now: () => number): Credentials {
  return rereading(now, async () => ({
    headers: {},
    clientCertificate: await readClientCertificate(certificate, key),
  }));
}

export async function readClientCertificate(certificate: PemOrigin, key: PemOrigin): Promise<ClientCertificate> {
  return {
    certificate: await readPem(certificate, 'client certificate'),
    key: await readPem(key, 'client key'),
  };
}

export function readPem(origin: PemOrigin, what: string): Promise<string> {
  return 'pem' in origin ? Promise.resolve(origin.pem) : read(origin.file, what);
}

function rereading(now: () => number, load: () => Promise<Credential>): Credentials {
  let last: { readonly credential: Credential; readonly text: string; readonly at: number } | undefined;
  const reload = singleFlight(async () => {
    const credential = await load();
    const text = JSON.stringify(credential);
    // The same content stays the same object, so that connections are kept.
    last = { credential: last?.text === text ? last.credential : credential, text, at: now() };
    return last.credential;
  });
  return {
    get: async ({ fresh, signal }) => {
      if (last !== undefined && !fresh && now() - last.at < MAX_AGE_MS) return last.credential;
      try {
        return await reload(signal);
      } catch (error) {
        // A file that is being replaced can be missing for a moment. What it held may still be good; where it is not,
        // the server refuses it, a fresh one is asked for, and then this error is told.
        if (last === undefined || fresh || signal?.aborted === true) throw error;
        return last.credential;
      }
    },
  };
}

async function read(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Mk8sError(`Cannot read ${what} ${path}: ${messageOf(error)}. Check that it exists and may be read.`, {
      code: 'credentials',
      // Files of a mounted Secret are replaced while we look.
      retryable: true,
      cause: error,
    });
  }
}
