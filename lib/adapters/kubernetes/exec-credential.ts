// The ExecCredential protocol: what a plugin is told and what it answers.
// Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
import * as v from 'valibot';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import { bearer, type Credential } from './credentials.ts';

export const EXEC_API_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'] as const;

export type ExecApiVersion = (typeof EXEC_API_VERSIONS)[number];

/** `spec.cluster` of KUBERNETES_EXEC_INFO, for plugins that ask for it (`provideClusterInfo`). */
export interface ExecClusterInfo {
  readonly server: string;
  readonly 'tls-server-name'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  /** Base64 of PEM. */
  readonly 'certificate-authority-data'?: string;
  readonly 'proxy-url'?: string;
  readonly 'disable-compression'?: boolean;
  /** The cluster's extension `client.authentication.k8s.io/exec`, as it stands in the kubeconfig. */
  readonly config?: unknown;
}

/** The value of the environment variable KUBERNETES_EXEC_INFO. A plugin of ours never has a terminal to ask on. */
export function execInfo(apiVersion: ExecApiVersion, cluster: ExecClusterInfo | undefined): string {
  return JSON.stringify({
    apiVersion,
    kind: 'ExecCredential',
    spec: { ...(cluster === undefined ? {} : { cluster }), interactive: false },
  });
}

export interface ExecAnswer {
  readonly credential: Credential;
  /** Milliseconds since 1970; absent where the plugin says none: good until a server refuses it. */
  readonly expiresAt?: number;
}

const answerSchema = v.looseObject({
  apiVersion: v.string(),
  kind: v.literal('ExecCredential'),
  status: v.looseObject({
    token: v.nullish(v.string(), ''),
    clientCertificateData: v.nullish(v.string(), ''),
    clientKeyData: v.nullish(v.string(), ''),
    expirationTimestamp: v.nullish(v.string(), ''),
  }),
});

/**
 * Reads a plugin's standard output. Throws Mk8sError `credentials`; the message names the plugin and what was wrong,
 * never what it printed (which holds the credential).
 */
export function parseExecAnswer(stdout: string, apiVersion: ExecApiVersion, plugin: string): ExecAnswer {
  const refuse = (why: string): Mk8sError =>
    new Mk8sError(
      `${plugin} did not answer with an ExecCredential of ${apiVersion}: ${why}. Run it by hand to see what it prints, and check apiVersion in the kubeconfig.`,
      { code: 'credentials' },
    );
  const parsed = v.safeParse(answerSchema, parseJson(stdout, refuse));
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw refuse(`${v.getDotPath(issue) ?? 'the document'} should be ${issue.expected ?? 'something else'}`);
  }
  const { apiVersion: answered, status } = parsed.output;
  if (answered !== apiVersion) throw refuse(`its apiVersion is ${JSON.stringify(answered.slice(0, 40))}`);
  const { clientCertificateData: certificate, clientKeyData: key } = status;
  if ((certificate === '') !== (key === '')) {
    throw refuse('status has only one of clientCertificateData and clientKeyData');
  }
  const token = status.token.trim();
  if (token === '' && certificate === '') throw refuse('status has neither a token nor a client certificate');
  const expiresAt = status.expirationTimestamp === '' ? undefined : Date.parse(status.expirationTimestamp);
  if (Number.isNaN(expiresAt)) throw refuse('status.expirationTimestamp is not an RFC 3339 time');
  return {
    credential: {
      headers: token === '' ? {} : bearer(token, plugin).headers,
      ...(certificate === '' ? {} : { clientCertificate: { certificate, key } }),
    },
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

function parseJson(text: string, refuse: (why: string) => Mk8sError): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // JSON.parse quotes its input in the message, so only the kind of failure is passed on.
    throw refuse(
      text.trim() === ''
        ? 'it printed nothing'
        : `its output is not JSON (${error instanceof SyntaxError ? 'syntax error' : messageOf(error)})`,
    );
  }
}
