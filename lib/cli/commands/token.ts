// `mk8s token`: one short-lived token on stdout, as `kubectl create token` and `gcloud auth print-access-token` print theirs.
import { parseDuration } from '../../config/duration.ts';
import { Mk8sError } from '../../model/errors.ts';
import type { Token } from '../../model/token.ts';
import type { GoogleSubject, TokenBroker } from '../../ports/token-broker.ts';
import { execCredential } from '../exec-info.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Invocation } from '../invocation.ts';

export interface TokenFlags {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly audience?: string;
  readonly duration?: string;
  readonly access?: true;
  readonly identity?: string;
  readonly scopes?: string;
  readonly as?: string;
  readonly output: 'token' | 'json';
}

export async function token(flags: TokenFlags, invocation: Invocation): Promise<number> {
  const { config, engine, env, signal, stdout } = invocation;
  const ask = wanted(flags);
  const broker = await engine.openTokens(config, { env, signal, report: () => {} });
  try {
    const given = await ask(broker, signal);
    const json = flags.output === 'json';
    await stdout.write(json ? execCredential(given, 'client.authentication.k8s.io/v1') : `${given.token}\n`);
    return exitCodes.ok;
  } finally {
    await broker.close();
  }
}

type Ask = (broker: TokenBroker, signal: AbortSignal) => Promise<Token>;

/** Throws Mk8sError `config` where the flags don't say one thing. */
function wanted(flags: TokenFlags): Ask {
  const { access, identity, audience, duration, scopes, as, serviceAccount } = flags;
  if (access === true && identity !== undefined) throw wrong('--access and --identity are two tokens: choose one');
  if (access === true || identity !== undefined) {
    if (audience !== undefined || duration !== undefined) {
      throw wrong('--audience and --duration are for a service account of a cluster, not with --access and --identity');
    }
    if (identity !== undefined && scopes !== undefined) throw wrong('--scopes goes with --access');
    const request =
      identity === undefined
        ? { kind: 'access' as const, ...(scopes === undefined ? {} : { scopes: listOf(scopes) }) }
        : { kind: 'identity' as const, audience: identity };
    const subject = subjectOf(flags);
    return (broker, signal) => broker.googleToken(request, subject, signal);
  }
  if (scopes !== undefined || as !== undefined) throw wrong('--scopes and --as go with --access or --identity');
  if (serviceAccount === undefined) {
    throw wrong('which token? Name a service account by --service-account, or say --access or --identity AUDIENCE');
  }
  const expirationSeconds = duration === undefined ? undefined : secondsOf(duration);
  return (broker, signal) =>
    broker.serviceAccountToken(
      {
        ...accountOf(flags, serviceAccount),
        ...(audience === undefined ? {} : { audience }),
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      },
      signal,
    );
}

function subjectOf(flags: TokenFlags): GoogleSubject | undefined {
  const { as, serviceAccount, cluster, namespace } = flags;
  if (as !== undefined && serviceAccount !== undefined) {
    throw wrong('--as and --service-account name two identities: choose one');
  }
  if (as !== undefined) return { email: as };
  if (serviceAccount !== undefined) return accountOf(flags, serviceAccount);
  if (cluster === undefined && namespace === undefined) return undefined;
  throw wrong('--cluster and --namespace go with --service-account');
}

function accountOf({ cluster, namespace }: TokenFlags, name: string) {
  return {
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace }),
    name,
  };
}

function secondsOf(duration: string): number {
  const ms = parseDuration(duration);
  // The API server's own bound: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
  if (ms === undefined || ms < 600_000)
    throw wrong(`--duration must be 10m or more, like 15m or 1h, not "${duration}"`);
  return Math.round(ms / 1000);
}

function listOf(scopes: string): string[] {
  return scopes.split(/[\s,]+/).filter((scope) => scope !== '');
}

function wrong(message: string): Mk8sError {
  return new Mk8sError(message, { code: 'config' });
}
