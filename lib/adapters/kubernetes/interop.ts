// Working together with @kubernetes/client-node: its KubeConfig for a cluster, and its generated API classes over our
// connections. It is an optional peer dependency and slow to import (about a second), so it is loaded at first use.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Configuration, KubeConfig, RequestContext, ResponseContext } from '@kubernetes/client-node';
import { Mk8sError } from '../../model/errors.ts';
import type { ApiRequest, ApiResponse } from '../../ports/api-server.ts';
import type { KubeconfigDocument } from './kubeconfig-load.ts';
import { readText } from './rest.ts';

type ClientNode = typeof import('@kubernetes/client-node');

/** Any of client-node's API classes: `CoreV1Api`, `CustomObjectsApi`, … */
export type ApiClass<T> = new (configuration: never) => T;

const require = createRequire(import.meta.url);

/** A KubeConfig with one context. Throws Mk8sError `config` where client-node is not installed. */
export function clientNodeKubeConfig(document: KubeconfigDocument): KubeConfig {
  const { KubeConfig } = loadClientNode();
  const config = new KubeConfig();
  config.addAuthenticator(tokenFileAuthenticator);
  config.loadFromString(JSON.stringify({ ...document, users: document.users.map(withTokenFile) }));
  return config;
}

/**
 * An API client whose requests go through `send`. Its HTTP errors are client-node's ApiException, as always;
 * what happens before an answer (refused, untrusted) is our Mk8sError.
 */
export function clientNodeApi<T>(
  Api: ApiClass<T>,
  server: string,
  send: (request: ApiRequest) => Promise<ApiResponse>,
): T {
  const { createConfiguration, ResponseContext, ServerConfiguration, wrapHttpLibrary } = loadClientNode();
  const configuration: Configuration = createConfiguration({
    // The path that a server's URL may have is added by our transport.
    baseServer: new ServerConfiguration(new URL(server).origin, {}),
    httpApi: wrapHttpLibrary({
      async send(context: RequestContext): Promise<ResponseContext> {
        const response = await send(toRequest(context));
        return new ResponseContext(response.status, { ...response.headers }, toBody(response));
      },
    }),
  });
  return new Api(configuration as never);
}

function loadClientNode(): ClientNode {
  try {
    return require('@kubernetes/client-node') as ClientNode;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new Mk8sError(
      'Cannot use cluster.kubeConfig or cluster.makeApiClient: @kubernetes/client-node, an optional peer dependency of mk8s, is not installed; run "npm install @kubernetes/client-node@2"',
      { code: 'config', cause: error },
    );
  }
}

function toRequest(context: RequestContext): ApiRequest {
  const url = new URL(context.getUrl());
  const body = context.getBody();
  const signal = context.getSignal();
  if (body !== undefined && typeof body !== 'string') {
    throw new Mk8sError(`Cannot send ${context.getHttpMethod()} ${url.pathname}: only text bodies are supported`, {
      code: 'config',
    });
  }
  return {
    method: context.getHttpMethod() as NonNullable<ApiRequest['method']>,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: context.getHeaders(),
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function toBody(response: ApiResponse): ConstructorParameters<ClientNode['ResponseContext']>[2] {
  return {
    text: () => readText(response),
    binary: async () => Buffer.from(await new Response(byteStream(response)).arrayBuffer()),
    stream: () => byteStream(response),
  };
}

function byteStream(response: ApiResponse): ReadableStream<Uint8Array<ArrayBuffer>> {
  async function* chunks() {
    for await (const batch of response.body) for (const chunk of batch) yield new Uint8Array(chunk);
  }
  return ReadableStream.from(chunks());
}

const tokenFileProvider = 'mk8s-token-file';

/**
 * client-node 2.0 does not know a kubeconfig's `tokenFile`, and its own reader of such files leaves the newline at their
 * end in the header. As with kubectl, the file goes before `token` where both are given.
 */
function withTokenFile(entry: KubeconfigDocument['users'][number]): unknown {
  const { tokenFile } = entry.user;
  if (tokenFile === undefined) return entry;
  const provider = { name: tokenFileProvider, config: { path: tokenFile } };
  return { name: entry.name, user: { ...entry.user, token: undefined, 'auth-provider': provider } };
}

/** Reads the file anew for each request: it rotates. */
const tokenFileAuthenticator: Parameters<KubeConfig['addAuthenticator']>[0] = {
  isAuthProvider: (user) => user.authProvider?.name === tokenFileProvider,
  applyAuthentication: async (user, options) => {
    const token = await readFile(String(user.authProvider?.config?.path), 'utf8');
    options.headers = { ...options.headers, Authorization: `Bearer ${token.trim()}` };
  },
};
