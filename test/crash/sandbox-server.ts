// The program of a sandbox cluster's process: `node sandbox-server.ts SETTINGS`. Says once how to reach it.
import type { Authority } from '../../lib/sandbox/certificate.ts';
import { startSandbox } from '../../lib/sandbox/sandbox.ts';

/** What has to be the same in each of its lives. */
export interface SandboxSettings {
  readonly name: string;
  readonly file: string;
  readonly port: number;
  readonly token: string;
  readonly tokenKey?: string;
  readonly authority: Authority;
}

/** Its only line of output, as JSON. */
export interface SandboxIntroduction {
  readonly url: string;
  readonly ca: string;
  readonly tokenKey: string;
}

const settings = JSON.parse(process.argv[2] ?? '') as SandboxSettings;
const { url, ca, tokenKey } = await startSandbox({ ...settings, progressInterval: 1000 });
console.log(JSON.stringify({ url, ca, tokenKey } satisfies SandboxIntroduction));
