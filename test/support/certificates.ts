// X.509 certificates for tests, made in memory: ECDSA P-256, as little DER (X.690, RFC 5280) as TLS needs.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';

interface CertificateWithKey {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

export interface Authority extends CertificateWithKey {
  issue(options: {
    readonly commonName: string;
    /** DNS names and IPv4 addresses. */
    readonly names?: readonly string[];
    readonly notAfter?: Date;
  }): CertificateWithKey;
}

/** A self-signed certificate authority, good for a day. */
export function createAuthority(commonName = 'test authority'): Authority {
  const key = newKey();
  const certificate = build({
    subject: commonName,
    issuer: commonName,
    publicKey: key.publicKey,
    signer: key.privateKey,
    authority: true,
    names: [],
    notAfter: tomorrow(),
  });
  return {
    certificate,
    key: pemOfKey(key.privateKey),
    issue: (options) => {
      const own = newKey();
      return {
        certificate: build({
          subject: options.commonName,
          issuer: commonName,
          publicKey: own.publicKey,
          signer: key.privateKey,
          authority: false,
          names: options.names ?? [],
          notAfter: options.notAfter ?? tomorrow(),
        }),
        key: pemOfKey(own.privateKey),
      };
    },
  };
}

interface Fields {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly authority: boolean;
  readonly names: readonly string[];
  readonly notAfter: Date;
}

function build(fields: Fields): string {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const yesterday = new Date(Math.min(Date.now(), fields.notAfter.getTime()) - 86_400_000);
  const extensions = [
    extension('2.5.29.19', sequence(...(fields.authority ? [der(0x01, Buffer.from([0xff]))] : []))),
    ...(fields.names.length === 0 ? [] : [extension('2.5.29.17', sequence(...fields.names.map(generalName)))]),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(fields.issuer),
    sequence(time(yesterday), time(fields.notAfter)),
    distinguishedName(fields.subject),
    fields.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, fields.signer));
  const base64 = sequence(body, algorithm, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n').trim()}\n-----END CERTIFICATE-----\n`;
}

function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function tomorrow(): Date {
  return new Date(Date.now() + 86_400_000);
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
}

function generalName(name: string): Buffer {
  if (isIP(name) === 0) return der(0x82, Buffer.from(name));
  if (!isIPv4(name)) throw new Error(`IPv4 addresses only: ${name}`);
  return der(0x87, Buffer.from(name.split('.').map(Number)));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value));
}

function time(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return der(0x30, ...contents);
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.byteLength;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
