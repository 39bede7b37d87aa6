// The shape of a kubeconfig file, as client-go's clientcmd/api/v1 has it. Unknown fields are kept.
import * as v from 'valibot';

const text = v.optional(v.string());
const flag = v.optional(v.boolean());
const extensions = v.optional(v.array(v.looseObject({ name: v.string(), extension: v.unknown() })));

export const clusterSchema = v.looseObject({
  server: text,
  'tls-server-name': text,
  'insecure-skip-tls-verify': flag,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'proxy-url': text,
  'disable-compression': flag,
  extensions,
});

export const execSchema = v.looseObject({
  apiVersion: text,
  command: text,
  args: v.optional(v.array(v.string())),
  env: v.optional(v.array(v.looseObject({ name: v.string(), value: v.optional(v.string(), '') }))),
  installHint: text,
  provideClusterInfo: flag,
  interactiveMode: v.optional(v.picklist(['Never', 'IfAvailable', 'Always'])),
});

export const userSchema = v.looseObject({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': v.optional(v.array(v.string())),
  'as-user-extra': v.optional(v.record(v.string(), v.array(v.string()))),
  'auth-provider': v.optional(v.looseObject({ name: text })),
  exec: v.optional(execSchema),
});

export const contextSchema = v.looseObject({ cluster: text, user: text, namespace: text });

export type KubeconfigCluster = v.InferOutput<typeof clusterSchema>;
export type KubeconfigUser = v.InferOutput<typeof userSchema>;
export type KubeconfigExec = v.InferOutput<typeof execSchema>;
export type KubeconfigContext = v.InferOutput<typeof contextSchema>;

/** Go does not tell an absent value from null or ''; neither do we. Extensions belong to others and stay as they are. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null && member !== '');
  return Object.fromEntries(
    kept.map(([name, member]) => [name, name === 'extensions' ? member : withoutEmpty(member)]),
  );
}
