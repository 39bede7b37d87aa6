// The library on a real API server: 1.20, without streaming lists and aggregated discovery, so the fallbacks are at work.
import { describe } from 'vitest';
import { kubeAssets, startKubeApiServer } from '../support/kube-apiserver.ts';
import { describeLibrary } from './library-suite.ts';

describe.skipIf(kubeAssets === undefined)('on a real API server (KUBEBUILDER_ASSETS)', () => {
  describeLibrary('the library', async () => {
    const server = await startKubeApiServer();
    return {
      endpoint: server,
      client: server.client,
      // The watch cache starts anew with what etcd has then, and etcd has forgotten what was before.
      async forget() {
        await server.compact();
        await server.restart();
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  });
});
