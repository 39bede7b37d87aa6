// A certificate authority for one fleet, made without openssl: X.509 v3, ECDSA P-256 (RFC 5280, RFC 5480).
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  bitString,
  boolean,
  context,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  utcTime,
  utf8String,
} from './der.ts';

/** PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends KeyPair {
  readonly name: string;
}

const year = 365 * 24 * 3600 * 1000;

/** A self-signed authority that is good for ten years from `now` (milliseconds since 1970). */
export function createAuthority(name: string, now: number): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = keyId(publicKey);
  const extensions = [
    extension('2.5.29.19', true, sequence(boolean(true))),
    // keyCertSign and cRLSign
    extension('2.5.29.15', true, bitString(Buffer.of(0x06), 1)),
    extension('2.5.29.14', false, octetString(id)),
  ];
  const cert = certificate({ subject: name, issuer: name, publicKey, signer: privateKey, now, extensions });
  return { name, cert, key: pemKey(privateKey) };
}

/** A server certificate for the names and addresses. */
export function issueCertificate(
  authority: Authority,
  subject: string,
  hosts: readonly string[],
  now: number,
): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = createPrivateKey(authority.key);
  const extensions = [
    extension('2.5.29.19', true, sequence()),
    // digitalSignature
    extension('2.5.29.15', true, bitString(Buffer.of(0x80), 7)),
    // serverAuth
    extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', false, sequence(...hosts.map(generalName))),
  ];
  const cert = certificate({ subject, issuer: authority.name, publicKey, signer, now, extensions });
  return { cert, key: pemKey(privateKey) };
}

interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly now: number;
  readonly extensions: readonly Buffer[];
}

function certificate({ subject, issuer, publicKey, signer, now, extensions }: Certificate): string {
  const algorithm = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
  const serial = randomBytes(16);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const body = sequence(
    context(0, true, integer(Buffer.of(2))),
    integer(serial),
    algorithm,
    commonName(issuer),
    sequence(utcTime(now - 3600_000), utcTime(now + 10 * year)),
    commonName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, true, sequence(...extensions)),
  );
  const der = sequence(body, algorithm, bitString(sign('sha256', body, signer)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function commonName(name: string): Buffer {
  return sequence(setOf(sequence(objectIdentifier('2.5.4.3'), utf8String(name))));
}

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function generalName(host: string): Buffer {
  if (isIPv4(host)) return context(7, false, Buffer.from(host.split('.').map(Number)));
  if (host === '::1') return context(7, false, Buffer.concat([Buffer.alloc(15), Buffer.of(1)]));
  return context(2, false, Buffer.from(host));
}

function keyId(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function pemKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
