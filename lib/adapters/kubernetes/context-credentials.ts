// A kubeconfig's user entry as credentials. The order is client-go's: all that is there is used, tokenFile before token.
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Semaphore } from '../../async/semaphore.ts';
import { Mk8sError, messageOf } from '../../model/errors.ts';
import {
  basic,
  bearer,
  type ClientCertificate,
  type Credentials,
  combinedCredentials,
  fixedCredentials,
} from './credentials.ts';
import {
  certificateFileCredentials,
  type PemOrigin,
  readClientCertificate,
  tokenFileCredentials,
} from './credentials-files.ts';
import { EXEC_API_VERSIONS, type ExecApiVersion, type ExecClusterInfo } from './exec-credential.ts';
import { EXEC_TIMEOUT_MS, execCredentials } from './exec-plugin.ts';
import type { KubeconfigExec, KubeconfigUser } from './kubeconfig-schema.ts';
import type { Environment } from './proxy-choice.ts';

/** What credentials need from around them. */
export interface CredentialSurroundings {
  /** Environment of exec plugins. */
  readonly env: Environment;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How many exec plugins may run at once. */
  readonly processes: Semaphore;
  /** How long an exec plugin may take. Default 60 s. */
  readonly execTimeoutMs?: number;
}

export interface UserCredentials {
  readonly credentials: Credentials;
  /** As read now, to check it; undefined where the user has none of his own. */
  readonly clientCertificate: ClientCertificate | undefined;
  readonly warnings: readonly string[];
}

/**
 * Checks a user entry and makes its credentials; no plugin is run. `clusterInfo` is what plugins may ask for.
 * Throws Mk8sError `config` (or `credentials`, for files that can't be read) in a sentence without file and context.
 */
export async function userCredentials(
  user: KubeconfigUser,
  clusterInfo: () => Promise<ExecClusterInfo>,
  around: CredentialSurroundings,
): Promise<UserCredentials> {
  const warnings: string[] = [];
  const parts: Credentials[] = [];
  refuseAuthProvider(user);
  const hasToken = user.token !== undefined || user.tokenFile !== undefined;
  if (hasToken && user.username !== undefined) {
    throw invalid('the user has both a token and a username. Keep one of them');
  }
  const certificate = certificateOrigins(user, warnings);
  const clientCertificate =
    certificate === undefined ? undefined : await readClientCertificate(certificate.certificate, certificate.key);
  if (certificate !== undefined) {
    parts.push(certificateFileCredentials(certificate.certificate, certificate.key, around.now));
  }
  if (user.tokenFile !== undefined) {
    await mustBeReadable(user.tokenFile, 'tokenFile');
    parts.push(tokenFileCredentials(user.tokenFile, around.now));
  } else if (user.token !== undefined) {
    parts.push(fixedCredentials(bearer(user.token, 'the user')));
  } else if (user.username !== undefined) {
    parts.push(fixedCredentials(basic(user.username, user.password ?? '')));
  }
  // client-go, too, leaves the plugin alone where a token or password is written down.
  if (user.exec !== undefined && !hasToken && user.username === undefined) {
    parts.push(execPlugin(user.exec, clusterInfo, around));
  }
  return { credentials: combinedCredentials(parts), clientCertificate, warnings };
}

function refuseAuthProvider(user: KubeconfigUser): void {
  const provider = user['auth-provider'];
  if (provider === undefined) return;
  const name = provider.name ?? '';
  const instead = AUTH_PROVIDER_SUCCESSORS[name] ?? 'an exec plugin of your provider';
  throw invalid(
    `the user has the legacy auth-provider "${name}", which Kubernetes removed in 1.26. Use ${instead} (users[].user.exec)`,
  );
}

const AUTH_PROVIDER_SUCCESSORS: Readonly<Record<string, string>> = {
  gcp: 'the exec plugin gke-gcloud-auth-plugin; "gcloud container clusters get-credentials" writes it',
  azure: 'the exec plugin kubelogin; "kubelogin convert-kubeconfig" writes it',
  oidc: 'the exec plugin kubectl oidc-login',
};

function certificateOrigins(
  user: KubeconfigUser,
  warnings: string[],
): { certificate: PemOrigin; key: PemOrigin } | undefined {
  const certificate = pemOrigin(user, 'client-certificate', warnings);
  const key = pemOrigin(user, 'client-key', warnings);
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined) throw invalid('the user has a client-key but no client-certificate. Add it');
  if (key === undefined) throw invalid('the user has a client-certificate but no client-key. Add it');
  return { certificate, key };
}

/** `FIELD-data` (base64) or the file that FIELD names; both: the data, with a warning. */
export function pemOrigin(
  entry: Readonly<Record<string, unknown>>,
  field: string,
  warnings: string[],
): PemOrigin | undefined {
  const data = entry[`${field}-data`];
  const file = entry[field];
  if (typeof data === 'string') {
    if (typeof file === 'string') warnings.push(`${field}-data and ${field} are both set; the data is used.`);
    const pem = Buffer.from(data, 'base64').toString('utf8');
    if (!pem.includes('-----BEGIN '))
      throw invalid(`${field}-data is not base64 of PEM. Encode the PEM file with base64`);
    return { pem };
  }
  return typeof file === 'string' ? { file } : undefined;
}

function execPlugin(
  exec: KubeconfigExec,
  clusterInfo: () => Promise<ExecClusterInfo>,
  around: CredentialSurroundings,
): Credentials {
  const { command } = exec;
  if (command === undefined) throw invalid("the user's exec has no command. Add it");
  if (exec.interactiveMode === 'Always') {
    throw invalid(
      `exec plugin ${command} wants a terminal (interactiveMode: Always), and mk8s gives it none. Use IfAvailable or Never, or another plugin`,
    );
  }
  const extra = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  return execCredentials(
    {
      apiVersion: execApiVersion(exec),
      command,
      args: exec.args ?? [],
      env: { ...around.env, ...extra },
      installHint: exec.installHint ?? '',
      timeoutMs: around.execTimeoutMs ?? EXEC_TIMEOUT_MS,
      ...(exec.provideClusterInfo === true ? { clusterInfo } : {}),
    },
    around.now,
    around.processes,
  );
}

function execApiVersion(exec: KubeconfigExec): ExecApiVersion {
  const known = EXEC_API_VERSIONS.find((version) => version === exec.apiVersion);
  if (known !== undefined) return known;
  const given = exec.apiVersion === undefined ? 'no apiVersion' : `apiVersion ${exec.apiVersion}`;
  const why = exec.apiVersion?.endsWith('/v1alpha1') === true ? ', which Kubernetes removed in 1.24' : '';
  throw invalid(
    `exec plugin ${exec.command ?? ''} has ${given}${why}. Use ${EXEC_API_VERSIONS.join(' or ')}, and a plugin that speaks it`,
  );
}

async function mustBeReadable(path: string, field: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw new Mk8sError(`${field} cannot be read: ${messageOf(error)}. Check that it exists and may be read.`, {
      code: 'config',
      cause: error,
    });
  }
}

/** A sentence that goes on after `Kubeconfig FILE, context "NAME": `. */
export function invalid(what: string): Mk8sError {
  return new Mk8sError(`${what}.`, { code: 'config' });
}
