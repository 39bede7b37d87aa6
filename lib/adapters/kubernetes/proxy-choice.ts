// Which proxy leads to a cluster: kubeconfig's proxy-url, else the environment, by the rules of Go's
// golang.org/x/net/http/httpproxy, which kubectl follows.
import { BlockList, isIP } from 'node:net';
import { Mk8sError } from '../../model/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for `server`, or undefined for a direct connection. `proxyUrl` (kubeconfig) wins over HTTPS_PROXY,
 * HTTP_PROXY and NO_PROXY (upper case before lower case). As in Go, the environment never applies to localhost.
 * Throws Mk8sError `config` where the chosen value is no URL of a proxy.
 */
export function chooseProxy(server: URL, proxyUrl: string | undefined, env: Environment): URL | undefined {
  if (proxyUrl !== undefined && proxyUrl !== '') return parseProxy(proxyUrl, 'proxy-url');
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = env[name] || env[name.toLowerCase()];
  if (value === undefined || value === '' || bypasses(server, env.NO_PROXY || env.no_proxy || '')) return undefined;
  return parseProxy(value.includes('://') ? value : `http://${value}`, name);
}

/** A proxy's URL for messages: without user and password. */
export function proxyName(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`;
}

function parseProxy(text: string, origin: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // socks5h is curl's word for what Go's socks5 does anyway: the proxy resolves the name.
  if (url === undefined || !['http:', 'https:', 'socks5:', 'socks5h:'].includes(url.protocol) || url.hostname === '') {
    throw new Mk8sError(
      `${origin} is not the URL of a proxy. Write http://, https:// or socks5:// and a host and port.`,
      {
        code: 'config',
      },
    );
  }
  return url;
}

function bypasses(server: URL, noProxy: string): boolean {
  const host = server.hostname
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
    .replace(/\.$/, '');
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  const family = isIP(host);
  if (host === 'localhost' || isLoopback(host, family)) return true;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port, family));
}

function isLoopback(host: string, family: number): boolean {
  return family === 4 ? host.startsWith('127.') : host === '::1';
}

function matches(entry: string, host: string, port: string, family: number): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return inNetwork(entry, host, family);
  const { name, wantedPort } = splitPort(entry);
  if (wantedPort !== '' && wantedPort !== port) return false;
  if (isIP(name) !== 0) return name === host;
  // `.example.com` and `*.example.com` mean subdomains only, `example.com` also the name itself.
  const domain = name.startsWith('*.') ? name.slice(1) : name;
  if (domain.startsWith('.')) return host.endsWith(domain);
  return host === domain || host.endsWith(`.${domain}`);
}

function splitPort(entry: string): { name: string; wantedPort: string } {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(entry);
  if (bracketed) return { name: bracketed[1] ?? '', wantedPort: bracketed[2] ?? '' };
  const simple = isIP(entry) === 0 ? /^([^:]+):(\d+)$/.exec(entry) : null;
  return simple ? { name: simple[1] ?? '', wantedPort: simple[2] ?? '' } : { name: entry, wantedPort: '' };
}

function inNetwork(entry: string, host: string, family: number): boolean {
  const [network = '', bits = ''] = entry.split('/');
  const networkFamily = isIP(network);
  const prefix = Number(bits);
  const valid = /^\d+$/.test(bits) && prefix <= (networkFamily === 4 ? 32 : 128);
  if (family === 0 || networkFamily !== family || !valid) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(host, type);
}
