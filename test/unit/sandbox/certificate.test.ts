import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, createAuthority, issueCertificate } from '../../../lib/sandbox/certificate.ts';

let authority: Authority;
let server: ReturnType<typeof createServer>;
let port: number;

beforeEach(async () => {
  authority = createAuthority('test-ca', Date.now());
  const pair = issueCertificate(authority, 'test', ['localhost', '127.0.0.1', '::1'], Date.now());
  server = createServer(pair, (socket) => socket.end('hello'));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => void server.close());

async function handshake(ca: string, servername?: string): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca, ...(servername === undefined ? {} : { servername }) });
  await once(socket, 'secureConnect');
  socket.destroy();
  return socket;
}

test('a client that trusts the authority accepts the address and the name of the certificate', async () => {
  expect((await handshake(authority.cert)).authorized).toBe(true);
  expect((await handshake(authority.cert, 'localhost')).authorized).toBe(true);
});

test('another name, and another authority of the same name, are refused', async () => {
  await expect(handshake(authority.cert, 'elsewhere.example.com')).rejects.toThrow(/does not match/);
  await expect(handshake(createAuthority('test-ca', Date.now()).cert)).rejects.toThrow(/certificate|signature/);
});

test('the certificates are valid X.509: an authority for ten years, a leaf that is none, the three hosts', () => {
  const ca = new X509Certificate(authority.cert);
  const leaf = new X509Certificate(
    issueCertificate(authority, 'leaf', ['localhost', '127.0.0.1', '::1'], Date.now()).cert,
  );
  expect([ca.ca, leaf.ca]).toEqual([true, false]);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  expect(new Date(ca.validTo).getFullYear() - new Date().getFullYear()).toBeGreaterThanOrEqual(9);
});
