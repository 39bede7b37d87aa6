// How an API server speaks TLS: Go's servers choose the cipher, and on processors with AES they choose this one (seen of
// kube-apiserver 1.20.2). Left alone, Node and OpenSSL agree on AES-256.
import type { ServerOptions } from 'node:https';
import { DEFAULT_CIPHERS } from 'node:tls';

export const asKubernetes: ServerOptions = {
  ciphers: `TLS_AES_128_GCM_SHA256:${DEFAULT_CIPHERS}`,
  honorCipherOrder: true,
};
