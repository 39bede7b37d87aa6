import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { ClientCertificate, Credentials } from '../../../lib/adapters/kubernetes/credentials.ts';
import { certificateFileCredentials } from '../../../lib/adapters/kubernetes/credentials-files.ts';
import { type ConnectionOptions, openApiServer } from '../../../lib/adapters/kubernetes/transport.ts';
import { connectionError } from '../../../lib/adapters/kubernetes/transport-errors.ts';
import { createAuthority } from '../../support/certificates.ts';
import { type LoopbackServer, serveHttp, serveHttps } from '../../support/loopback-server.ts';
import { readText } from '../../support/read-body.ts';
import { scratchFolder } from '../../support/scratch-folder.ts';

const authority = createAuthority();
const other = createAuthority('another authority');
const loopback = authority.issue({ commonName: 'server', names: ['127.0.0.1'] });

const asServer = ({ certificate, key }: ClientCertificate) => ({ cert: certificate, key });

function answers(pair: ClientCertificate): Promise<LoopbackServer> {
  return serveHttps(asServer(pair), (_, response) => response.end('hello'));
}

async function ask(options: ConnectionOptions): Promise<string> {
  const api = openApiServer(options);
  try {
    return await readText(await api.request({ path: '/' }));
  } finally {
    await api.close();
  }
}

describe('a server certificate', () => {
  test('that the CA signed for the address is accepted', async () => {
    await using server = await answers(loopback);
    expect(await ask({ server: server.url, tls: { ca: { pem: authority.certificate } } })).toBe('hello');
  });

  test('that is itself named as trusted is accepted, as by kubectl', async () => {
    await using server = await answers(loopback);
    expect(await ask({ server: server.url, tls: { ca: { pem: loopback.certificate } } })).toBe('hello');
  });

  test.each([
    ['another CA', { ca: { pem: other.certificate } }],
    ['the authorities of the system', {}],
  ])('that is not signed by %s is refused with what to set', async (_, tls) => {
    await using server = await answers(loopback);
    await expect(ask({ server: server.url, tls })).rejects.toMatchObject({
      code: 'tls',
      retryable: false,
      message: expect.stringContaining('certificate-authority'),
    });
  });

  test('for another name is refused, and accepted with tls-server-name', async () => {
    const named = authority.issue({ commonName: 'kubernetes', names: ['kubernetes.default.svc'] });
    const seen: unknown[] = [];
    await using server = await serveHttps(asServer(named), (request, response) => {
      seen.push((request.socket as TLSSocket & { servername?: unknown }).servername);
      response.end('hello');
    });
    const ca = { pem: authority.certificate };
    await expect(ask({ server: server.url, tls: { ca } })).rejects.toMatchObject({
      code: 'tls',
      message: expect.stringContaining('tls-server-name'),
    });
    expect(await ask({ server: server.url, tls: { ca, serverName: 'kubernetes.default.svc' } })).toBe('hello');
    expect(seen).toEqual(['kubernetes.default.svc']);
  });

  test('for another address is refused, and accepted with that address as tls-server-name', async () => {
    const elsewhere = authority.issue({ commonName: 'kubernetes', names: ['10.96.0.1'] });
    await using server = await answers(elsewhere);
    const ca = { pem: authority.certificate };
    await expect(ask({ server: server.url, tls: { ca } })).rejects.toMatchObject({ code: 'tls' });
    expect(await ask({ server: server.url, tls: { ca, serverName: '10.96.0.1' } })).toBe('hello');
    await expect(ask({ server: server.url, tls: { ca, serverName: '127.0.0.1' } })).rejects.toMatchObject({
      code: 'tls',
    });
  });

  test('that is expired is refused', async () => {
    const expired = authority.issue({ commonName: 'old', names: ['127.0.0.1'], notAfter: new Date('2020-01-01') });
    await using server = await answers(expired);
    await expect(ask({ server: server.url, tls: { ca: { pem: authority.certificate } } })).rejects.toMatchObject({
      code: 'tls',
      message: expect.stringContaining('expired'),
    });
  });

  test('is not looked at with insecure-skip-tls-verify', async () => {
    await using server = await answers(loopback);
    expect(await ask({ server: server.url, tls: { insecure: true } })).toBe('hello');
  });
});

test('a port that does not speak TLS is told from an untrusted one', async () => {
  await using server = await serveHttp((_, response) => response.end());
  await expect(ask({ server: new URL(`https://127.0.0.1:${server.port}`) })).rejects.toMatchObject({
    code: 'tls',
    message: expect.stringContaining('does not speak TLS'),
  });
});

test('a CA file that is replaced counts for the next connection', async () => {
  await using folder = await scratchFolder();
  await using server = await answers(loopback);
  const file = join(folder.path, 'ca.crt');
  await writeFile(file, other.certificate);
  const api = openApiServer({ server: server.url, tls: { ca: { file } } });
  await expect(api.request({ path: '/' })).rejects.toMatchObject({ code: 'tls' });
  await writeFile(file, authority.certificate);
  expect(await readText(await api.request({ path: '/' }))).toBe('hello');
  await api.close();
});

test('later connections resume the TLS session of earlier ones', async () => {
  const resumed: boolean[] = [];
  await using server = await serveHttps(asServer(loopback), (request, response) => {
    resumed.push((request.socket as TLSSocket).isSessionReused());
    response.writeHead(200, { connection: 'close' }).end('hello');
  });
  const api = openApiServer({ server: server.url, tls: { ca: { pem: authority.certificate } } });
  for (let i = 0; i < 3; i++) await readText(await api.request({ path: '/' }));
  expect(resumed).toEqual([false, true, true]);
  await api.close();
});

describe('a client certificate', () => {
  const jane = authority.issue({ commonName: 'jane' });
  const joe = authority.issue({ commonName: 'joe' });

  function namesClients(): Promise<LoopbackServer> {
    const options = { ...asServer(loopback), ca: authority.certificate, requestCert: true, rejectUnauthorized: true };
    return serveHttps(options, (request, response) => {
      response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN);
    });
  }

  test('is shown to the server', async () => {
    await using server = await namesClients();
    const credentials: Credentials = { get: () => Promise.resolve({ headers: {}, clientCertificate: jane }) };
    expect(await ask({ server: server.url, tls: { ca: { pem: authority.certificate } }, credentials })).toBe('jane');
  });

  // Node's own server only hangs up; Go's and OpenSSL's answer with these alerts.
  test.each(['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'])(
    'that the server refuses (%s) gives an error that names the fields',
    (code) => {
      expect(connectionError(Object.assign(new Error('alert'), { code }), 'https://10.0.0.1')).toMatchObject({
        code: 'tls',
        message: expect.stringContaining('Check client-certificate and client-key'),
      });
    },
  );

  test('in files is read again when it was replaced, and connections of the old one are not used for the new', async () => {
    await using folder = await scratchFolder();
    await using server = await namesClients();
    const [certificate, key] = [join(folder.path, 'tls.crt'), join(folder.path, 'tls.key')];
    const store = async (pair: ClientCertificate) => {
      for (const [file, text] of [
        [certificate, pair.certificate],
        [key, pair.key],
      ] as const) {
        await writeFile(`${file}.new`, text);
        await rename(`${file}.new`, file);
      }
    };
    let now = 0;
    await store(jane);
    const api = openApiServer({
      server: server.url,
      tls: { ca: { pem: authority.certificate } },
      credentials: certificateFileCredentials({ file: certificate }, { file: key }, () => now),
    });
    const who = async () => await readText(await api.request({ path: '/' }));
    expect([await who(), await who()]).toEqual(['jane', 'jane']);
    expect(server.connections()).toBe(1);
    await store(joe);
    expect(await who()).toBe('jane');
    now += 10_000;
    expect(await who()).toBe('joe');
    expect(server.connections()).toBe(2);
    await api.close();
  });

  test('that was replaced under an open watch leaves the watch open, and closing ends it', async () => {
    const options = { ...asServer(loopback), ca: authority.certificate, requestCert: true, rejectUnauthorized: true };
    await using server = await serveHttps(options, (request, response) => {
      const name = (request.socket as TLSSocket).getPeerCertificate().subject.CN;
      if (request.url === '/watch') response.write(name);
      else response.end(name);
    });
    let shown: ClientCertificate = jane;
    const api = openApiServer({
      server: server.url,
      tls: { ca: { pem: authority.certificate } },
      credentials: { get: () => Promise.resolve({ headers: {}, clientCertificate: shown }) },
    });
    const watch = await api.request({ path: '/watch' });
    shown = joe;
    expect(await readText(await api.request({ path: '/' }))).toBe('joe');
    const batches = watch.body[Symbol.asyncIterator]();
    expect(await batches.next()).toMatchObject({ done: false });
    const next = batches.next();
    await api.close();
    await expect(next).rejects.toMatchObject({ code: 'interrupted' });
  });
});
