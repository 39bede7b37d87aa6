// Whom a connection trusts and as whom it appears: kubeconfig's TLS fields as node:tls wants them.
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type ConnectionOptions as TlsOptions,
} from 'node:tls';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import type { ClusterCandidate } from '../../ports/cluster-source.ts';
import type { ClientCertificate } from './credentials.ts';
import { type PemOrigin, readPem } from './credentials-files.ts';

export interface TlsSettings {
  /** Who may sign the server's certificate. Absent: the system's authorities. */
  readonly ca?: PemOrigin;
  /** `tls-server-name`: sent as SNI and compared with the certificate, instead of the URL's host. */
  readonly serverName?: string;
  /** `insecure-skip-tls-verify`. */
  readonly insecure?: boolean;
}

/** Options for `tls.connect` that hold for one connection; `context` changes when the CA or certificate does. */
export interface TlsIdentity {
  readonly context: SecureContext;
  readonly options: TlsOptions;
}

/**
 * Returns a function that gives the TLS options of a new connection. The CA file is read each time (connections are
 * few, and a rotated CA is then found); the parsed form is kept as long as nothing changed.
 * The function throws Mk8sError `config` where a certificate or key is not usable.
 */
export function tlsIdentities(
  settings: TlsSettings,
  host: string,
): (certificate: ClientCertificate | undefined) => Promise<TlsIdentity> {
  let last: { readonly text: string; readonly context: SecureContext } | undefined;
  return async (certificate) => {
    const ca = settings.ca === undefined ? undefined : await readPem(settings.ca, 'certificate authority');
    const text = JSON.stringify([ca, certificate?.certificate, certificate?.key]);
    if (last?.text !== text) last = { text, context: secureContext(ca, certificate) };
    return { context: last.context, options: { secureContext: last.context, ...verification(settings, host) } };
  };
}

/** Throws Mk8sError `config` with OpenSSL's reason where the PEM texts are not a CA, a certificate and its key. */
export function secureContext(ca: string | undefined, certificate: ClientCertificate | undefined): SecureContext {
  try {
    return createSecureContext({
      ca: ca === undefined ? systemAuthorities() : authorities(ca),
      ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
      // As Go does: whatever is named as trusted is trusted, also an intermediate or the server's own certificate.
      allowPartialTrustChain: true,
      minVersion: 'TLSv1.2',
    });
  } catch (error) {
    throw new Mk8sError(
      `The certificate authority, client certificate or client key cannot be used: ${messageOf(error)}. Check that they are PEM and that the key belongs to the certificate.`,
      { code: 'config', cause: error },
    );
  }
}

// OpenSSL passes over what it can't read; the first request would then blame the server's certificate.
function authorities(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----[^]*?-----END [A-Z0-9 ]*CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('the authority is not PEM: it has no BEGIN CERTIFICATE');
  return blocks.map((block) => new X509Certificate(block).toString());
}

/**
 * What others need in order to trust the server as we do: kubeconfigs for people are made of it. That it is not verified at all
 * (`insecure-skip-tls-verify`) is not handed on. Throws Mk8sError where the file of the authority cannot be read.
 */
export async function shownTrust({
  ca,
  serverName,
}: TlsSettings = {}): Promise<Pick<ClusterCandidate, 'certificateAuthority' | 'tlsServerName'>> {
  return {
    ...(ca === undefined ? {} : { certificateAuthority: await readPem(ca, 'certificate authority') }),
    ...(serverName === undefined ? {} : { tlsServerName: serverName }),
  };
}

/** For an https proxy: verified as the cluster is, by the cluster's CA or the system's; it is shown no certificate. */
export function proxyTlsOptions(settings: TlsSettings, ca: string | undefined, host: string): TlsOptions {
  return {
    ca: ca === undefined ? systemAuthorities() : [...systemAuthorities(), ca],
    ...verification({ insecure: settings.insecure ?? false }, host),
  };
}

function verification(settings: TlsSettings, host: string): TlsOptions {
  const name = settings.serverName ?? host;
  return {
    // The name, whatever address is dialled.
    checkServerIdentity: (_address, certificate) => checkServerIdentity(name, certificate),
    // SNI carries names only (RFC 6066, 3).
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: settings.insecure !== true,
    ALPNProtocols: ['http/1.1'],
  };
}

// What Node was built with plus the machine's own store, which is what kubectl uses: companies add their CA there.
function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}
