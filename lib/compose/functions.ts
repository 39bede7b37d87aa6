// The HTTP functions, composed: what each needs, and no more. The list of clusters comes from the store where there is one; discovery,
// clusters' clients and Google's libraries are loaded when somebody asks for what needs them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getJson } from '../adapters/http/get-json.ts';
import { type IdTokenVerifier, verifyIdTokens } from '../adapters/oidc/id-tokens.ts';
import { type Lazy, lazily } from '../async/lazily.ts';
import { systemClock } from '../async/system-clock.ts';
import type { Config } from '../config/options.ts';
import { createFunction, type FunctionName } from '../functions/handlers.ts';
import type { FleetReader, Services } from '../functions/services.ts';
import { Mk8sError, messageOf } from '../model/errors.ts';
import { packageVersion } from '../model/version.ts';
import { NOTHING, type Policy } from '../policy/policy.ts';
import { readPolicy } from '../policy/read-policy.ts';
import type { HttpHandler } from '../ports/http.ts';
import type { InventoryStore } from '../ports/inventory-store.ts';
import type { StatusStore } from '../ports/status-store.ts';
import type { Context } from './context.ts';
import type { LiveFleet } from './live-fleet.ts';
import { type SharedGoogle, sharedGoogle } from './shared-google.ts';

const GOOGLE = 'https://accounts.google.com';
/** What its discovery document says since 2015; named here to save a request of a cold start. */
const GOOGLE_KEYS = new URL('https://www.googleapis.com/oauth2/v3/certs');

/**
 * Of one caller: a person's tools list; a kubectl asks for a credential every few minutes for each cluster. And of one address without a
 * valid token: an office whose tokens have just expired asks again with new ones; what goes on like that is none.
 */
const RATES = {
  lists: { perSecond: 10, burst: 50 },
  tokens: { perSecond: 5, burst: 30 },
  unverified: { perSecond: 20, burst: 400 },
};

export interface FunctionOptions {
  readonly name: FunctionName;
  readonly config: Config;
  readonly context: Context;
  /** Where lists come from: the store that a run writes, or discovery in this process. */
  readonly inventory: 'kept' | 'live';
  /** URL of this service as callers know it; also the default audience. */
  readonly url: string;
  /** One line of the audit log. */
  readonly log: (line: object) => void;
}

export interface OpenedFunction {
  readonly handler: HttpHandler;
  /** Begins to read what the first request will need: the issuers' keys, and the store where lists come from it. */
  warm(): void;
  /** From now on it says that it is not ready. */
  drain(): void;
  close(): Promise<void>;
}

/** Throws Mk8sError `config` where the policy cannot be read, with file and line. */
export async function openFunction({
  name,
  config,
  context,
  inventory,
  url,
  log,
}: FunctionOptions): Promise<OpenedFunction> {
  const policy = await policyOf(config, context);
  const google = sharedGoogle(config, context);
  const live = lazily(async () => (await import('./live-fleet.ts')).liveFleet(config, context, google));
  const kept = config.store === 'disk' ? lazyFolder(config.data) : lazyStore(config, context, google);
  const minter = lazily(async () => (await import('./minter.ts')).openMinter(google, context.env, await live.get()));
  let draining = false;
  const audiences = config.serve.audience.length > 0 ? config.serve.audience : [url];
  const verifier = verifierOf(config, audiences);
  const services: Services = {
    clock: systemClock,
    verifier,
    policy,
    fleet: inventory === 'live' ? liveReader(live) : keptReader(kept, live),
    status: { read: async () => (await kept.status()) ?? { run: undefined, streams: [] } },
    isReady: () => !draining && !context.signal.aborted,
    minter: {
      serviceAccount: async (...args) => await (await minter.get()).serviceAccount(...args),
      federated: async (...args) => await (await minter.get()).federated(...args),
      accessToken: async (...args) => await (await minter.get()).accessToken(...args),
      identityToken: async (...args) => await (await minter.get()).identityToken(...args),
    },
    audit(entry) {
      const severity = entry.decision === 'minted' ? 'NOTICE' : 'WARNING';
      log({
        severity,
        time: new Date().toISOString(),
        message: `audit: ${entry.decision} ${entry.what}`,
        audit: entry,
      });
    },
    report: context.report,
    settings: {
      tokensUrl: config.serve.tokensUrl ?? url,
      tokensAudience: config.serve.tokensUrl ?? (config.serve.as === undefined ? (audiences[0] ?? url) : undefined),
      corsOrigins: config.serve.corsOrigins,
      rates: RATES,
    },
  };
  return {
    handler: await createFunction(name, services, packageVersion),
    warm() {
      void verifier.warm();
      // What fails now fails for the first request again, which is told.
      if (inventory === 'kept') kept.inventory().catch(() => undefined);
    },
    drain: () => {
      draining = true;
    },
    async close() {
      draining = true;
      await (await live.opened())?.close();
      await kept.close();
      await google.close();
    },
  };
}

async function policyOf({ serve }: Config, { report }: Context): Promise<Policy> {
  if (serve.policy === undefined) {
    report({
      severity: 'WARNING',
      message: 'There is no policy: nothing is granted to anyone. Name a file with --policy',
    });
    return NOTHING;
  }
  return await readPolicy(textOf(serve.policy), serve.policy);
}

/** In one piece: node:fs/promises is 5 ms of a start, and nothing else can be done before there is a policy. */
function textOf(policy: string): string {
  try {
    return readFileSync(policy, 'utf8');
  } catch (error) {
    throw new Mk8sError(`Cannot read the policy ${policy}: ${messageOf(error)}`, { code: 'config', cause: error });
  }
}

function verifierOf({ serve }: Config, audiences: readonly string[]): IdTokenVerifier {
  const { as: email } = serve;
  if (email !== undefined) {
    // Whoever reaches this loopback port is this caller; `mk8s serve` refuses it elsewhere.
    const caller = { issuer: GOOGLE, subject: `assumed:${email}`, email: email.toLowerCase() };
    return { verify: async () => ({ caller, expiresAt: systemClock.now() + 3_600_000 }), warm: async () => {} };
  }
  const issuers = serve.issuers.map((issuer) => (issuer === GOOGLE ? { issuer, jwksUri: GOOGLE_KEYS } : { issuer }));
  return verifyIdTokens({ issuers, audiences, fetchJson: getJson, now: () => systemClock.now() });
}

function liveReader(live: Lazy<LiveFleet>): FleetReader {
  return {
    async read({ refresh, signal }) {
      const fleet = await live.get();
      return refresh ? await fleet.refresh(signal) : await fleet.read(signal);
    },
  };
}

function keptReader(kept: KeptFolder, live: Lazy<LiveFleet>): FleetReader {
  return {
    async read({ refresh, signal }) {
      if (refresh) return await (await live.get()).refresh(signal);
      const inventory = await kept.inventory();
      if (inventory !== undefined) return inventory;
      throw new Mk8sError(
        'Cannot list the clusters: no run has written an inventory yet. Start `mk8s run` on the same data',
        {
          code: 'storage',
          retryable: true,
        },
      );
    },
  };
}

interface KeptFolder {
  inventory(): ReturnType<InventoryStore['read']>;
  status(): Promise<Awaited<ReturnType<StatusStore['read']>> | undefined>;
  close(): Promise<void>;
}

/** Another store than a folder. */
function lazyStore(config: Config, context: Context, google: SharedGoogle): KeptFolder {
  const store = lazily(async () => (await import('./store.ts')).openStore(config, context, google));
  return {
    inventory: async () => await (await store.get()).inventory.read(),
    status: async () => await (await store.get()).status.read(),
    close: async () => await (await store.opened())?.close(),
  };
}

/** The data folder, opened for reading once there is one. */
function lazyFolder(path: string): KeptFolder {
  type Folder = Awaited<ReturnType<typeof open>>;
  let folder: Promise<Folder> | undefined;
  async function open() {
    const { openFolderLists } = await import('../adapters/disk/folder-lists.ts');
    return openFolderLists(path);
  }
  const get = async (): Promise<Folder | undefined> => {
    if (folder === undefined && !existsSync(join(path, 'mk8s.db'))) return undefined;
    folder ??= open().catch((error: unknown) => {
      folder = undefined;
      throw error;
    });
    return await folder;
  };
  return {
    inventory: async () => await (await get())?.inventory.read(),
    status: async () => await (await get())?.status.read(),
    async close() {
      (await folder?.catch(() => undefined))?.close();
    },
  };
}
