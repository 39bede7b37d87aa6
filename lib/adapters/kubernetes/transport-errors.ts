// What can go wrong on the way to an API server, in words and codes that the rest can act on.
import { Mk8sError, messageOf } from '../../model/errors.ts';

/** Names the peer in messages: `cluster "gke_a" (https://10.0.0.1)`. */
export type Peer = string;

/** Classifies what was thrown before response headers arrived. */
export function connectionError(error: unknown, peer: Peer): Mk8sError {
  if (error instanceof Mk8sError) return withPeer(error, 'Cannot connect to', peer);
  const code = codeOf(error);
  if (isTlsCode(code)) return tlsError(error, code, peer);
  if (code.startsWith('HPE_')) {
    return new Mk8sError(
      `Cannot talk to ${peer}: it does not answer in HTTP/1.1 (${messageOf(error)}). Check that address and port are those of the API server.`,
      { code: 'protocol', cause: error },
    );
  }
  if (code === 'ERR_INVALID_CHAR' || code === 'ERR_UNESCAPED_CHARACTERS' || code === 'ERR_INVALID_HTTP_TOKEN') {
    return new Mk8sError(
      `Cannot send a request to ${peer}: ${messageOf(error)}. Encode the path, and correct the headers.`,
      {
        code: 'config',
        cause: error,
      },
    );
  }
  const why = REASONS[code] ?? `the connection failed: ${messageOf(error) || code}`;
  return new Mk8sError(`Cannot reach ${peer}: ${why}.`, { code: 'unreachable', retryable: true, cause: error });
}

/** The same error, in a sentence that names the peer. */
export function withPeer(error: Mk8sError, attempted: string, peer: Peer): Mk8sError {
  if (error.message.includes(peer)) return error;
  const { code, retryable, status } = error;
  return new Mk8sError(`${attempted} ${peer}: ${error.message}`, {
    code,
    retryable,
    ...(status === undefined ? {} : { status }),
    cause: error,
  });
}

/** Nothing arrived in time. */
export function timeoutError(peer: Peer, what: string, ms: number): Mk8sError {
  return new Mk8sError(
    `Cannot reach ${peer}: ${what} within ${ms / 1000} s. Check the address, firewalls and proxy-url.`,
    { code: 'unreachable', retryable: true },
  );
}

/** The body stopped in the middle. */
export function interruptedError(peer: Peer, cause: unknown): Mk8sError {
  const why = cause === undefined ? 'the connection closed' : messageOf(cause);
  return new Mk8sError(`The answer of ${peer} ended in the middle: ${why}.`, {
    code: 'interrupted',
    retryable: true,
    cause,
  });
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused (ECONNREFUSED). Check that it is up and that address and port are right',
  ENOTFOUND: 'its name does not resolve (ENOTFOUND). Check the name and the DNS of this machine',
  EAI_AGAIN: 'its name cannot be resolved now (EAI_AGAIN). Check the DNS of this machine',
  ECONNRESET: 'the connection was closed before it answered (ECONNRESET)',
  EPIPE: 'the connection was closed before it answered (EPIPE)',
  ETIMEDOUT: 'the connection timed out (ETIMEDOUT). Check the address, firewalls and proxy-url',
  EHOSTUNREACH: 'there is no route to it (EHOSTUNREACH). Check the network, VPN or proxy-url',
  ENETUNREACH: 'there is no route to it (ENETUNREACH). Check the network, VPN or proxy-url',
};

// Names of OpenSSL's X509_V_ERR_* as node:tls gives them; https://nodejs.org/api/tls.html#x509-certificate-error-codes
const CERTIFICATE_CODES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
  CERT_SIGNATURE_FAILURE: 'untrusted',
  CERT_UNTRUSTED: 'untrusted',
  CERT_REJECTED: 'untrusted',
  INVALID_CA: 'untrusted',
  INVALID_PURPOSE: 'untrusted',
  CERT_CHAIN_TOO_LONG: 'untrusted',
  CERT_REVOKED: 'untrusted',
  HOSTNAME_MISMATCH: 'name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'name',
  CERT_HAS_EXPIRED: 'time',
  CERT_NOT_YET_VALID: 'time',
};

function isTlsCode(code: string): boolean {
  return code in CERTIFICATE_CODES || code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_');
}

function tlsError(error: unknown, code: string, peer: Peer): Mk8sError {
  return new Mk8sError(`Cannot connect to ${peer} over TLS: ${tlsReason(code, messageOf(error))}`, {
    code: 'tls',
    cause: error,
  });
}

function tlsReason(code: string, message: string): string {
  const kind = CERTIFICATE_CODES[code];
  if (kind === 'untrusted') {
    return `its certificate is not signed by a trusted authority (${code}). Set certificate-authority or certificate-authority-data to the CA of the cluster.`;
  }
  if (kind === 'name') {
    return `its certificate is for another name (${message}). Use a name that it has in the server URL, or set tls-server-name.`;
  }
  if (kind === 'time')
    return `its certificate is expired or not valid yet (${code}). Renew it, or set the clock right.`;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return 'it does not speak TLS on this port. Check the port, or use http:// in the server URL.';
  }
  if (/ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|HANDSHAKE|NO_CERTIFICATE)/.test(code)) {
    return `it refused our client certificate, or wants one (${code}). Check client-certificate and client-key.`;
  }
  return `the handshake failed (${code || message}).`;
}
