// Reads one kubeconfig file. A broken entry costs that entry; only a file that does not parse is lost as a whole.
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import * as v from 'valibot';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { messageOf } from '../../model/errors.ts';
import {
  clusterSchema,
  contextSchema,
  type KubeconfigCluster,
  type KubeconfigContext,
  type KubeconfigUser,
  userSchema,
  withoutEmpty,
} from './kubeconfig-schema.ts';

export interface KubeconfigFile {
  /** Absolute. */
  readonly path: string;
  /** By name, in the file's order; paths in them are absolute. */
  readonly clusters: ReadonlyMap<string, KubeconfigCluster>;
  readonly users: ReadonlyMap<string, KubeconfigUser>;
  readonly contexts: ReadonlyMap<string, KubeconfigContext>;
  readonly currentContext: string;
  /** What was wrong with the file or with entries that were left out: sentences that name file and line. */
  readonly problems: readonly string[];
}

/** Undefined where there is no such file. Never throws for what a file contains, or for one that can't be read. */
export async function readKubeconfigFile(path: string): Promise<KubeconfigFile | undefined> {
  const absolute = resolve(path);
  try {
    return parseKubeconfig(await readFile(absolute, 'utf8'), absolute);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return broken(absolute, `Cannot read kubeconfig ${absolute}: ${messageOf(error)}.`);
  }
}

/** `path` is what relative paths in the text are relative to, and what messages name. */
export function parseKubeconfig(text: string, path: string): KubeconfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const failure = document.errors[0];
  if (failure !== undefined) {
    const { line, col } = lines.linePos(failure.pos[0]);
    return broken(path, `Kubeconfig ${path}, line ${line}, column ${col}: ${withoutContent(failure)}`);
  }
  let root: unknown;
  try {
    root = document.toJS();
  } catch {
    // Its message names the alias: a password that begins with * is one, too.
    const why =
      'an alias (*) in it has no anchor (&) before it, or there are too many. Put texts that begin with * in quotes.';
    return broken(path, `Kubeconfig ${path}: ${why}`);
  }
  if (root !== null && (typeof root !== 'object' || Array.isArray(root))) {
    return broken(path, `Kubeconfig ${path}, line 1: expected a mapping with clusters, users and contexts.`);
  }
  const file: Reading = { path, root: (root ?? {}) as Record<string, unknown>, document, lines, problems: [] };
  const folder = dirname(path);
  return {
    path,
    clusters: entries(file, 'clusters', 'cluster', clusterSchema, (cluster) =>
      withAbsolute(cluster, ['certificate-authority'], folder),
    ),
    users: entries(file, 'users', 'user', userSchema, (user) => absoluteUser(user, folder)),
    contexts: entries(file, 'contexts', 'context', contextSchema, (context) => context),
    currentContext: currentContext(file),
    problems: file.problems,
  };
}

interface Reading {
  readonly path: string;
  readonly root: Readonly<Record<string, unknown>>;
  readonly document: Document;
  readonly lines: LineCounter;
  readonly problems: string[];
}

function entries<T>(
  file: Reading,
  list: string,
  kind: string,
  schema: v.GenericSchema<unknown, T>,
  absolute: (entry: T) => T,
): Map<string, T> {
  const found = new Map<string, T>();
  const value = file.root[list] ?? [];
  if (!Array.isArray(value)) {
    report(file, [list], `${list} should be a list.`);
    return found;
  }
  for (const [index, item] of (value as unknown[]).entries()) {
    const { name, [kind]: content } = (typeof item === 'object' && item !== null ? item : {}) as Record<
      string,
      unknown
    >;
    if (typeof name !== 'string' || name === '') {
      report(file, [list, index], `entry ${index + 1} of ${list} has no name (a text); it is left out.`);
      continue;
    }
    const parsed = v.safeParse(schema, withoutEmpty(content ?? {}));
    if (!parsed.success) {
      const issue = parsed.issues[0];
      const at = issue.path?.map((step) => step.key as string | number) ?? [];
      const field = [kind, ...at].join('.');
      report(
        file,
        [list, index, kind, ...at],
        `${kind} "${name}" is left out: ${field} should be ${issue.expected ?? 'something else'}.`,
      );
    } else if (found.has(name)) {
      report(file, [list, index], `there is a second ${kind} "${name}"; the first is used.`);
    } else {
      found.set(name, absolute(parsed.output));
    }
  }
  return found;
}

function currentContext(file: Reading): string {
  const value = file.root['current-context'] ?? '';
  if (typeof value === 'string') return value;
  report(file, ['current-context'], 'current-context should be a text; it is ignored.');
  return '';
}

// Values are never quoted: a misplaced one may be a secret.
function report(file: Reading, at: readonly (string | number)[], what: string): void {
  for (let depth = at.length; depth >= 0; depth--) {
    const node = file.document.getIn(at.slice(0, depth), true) as { range?: readonly number[] } | undefined;
    const start = node?.range?.[0];
    if (start === undefined) continue;
    file.problems.push(`Kubeconfig ${file.path}, line ${file.lines.linePos(start).line}: ${what}`);
    return;
  }
  file.problems.push(`Kubeconfig ${file.path}: ${what}`);
}

function absoluteUser(user: KubeconfigUser, folder: string): KubeconfigUser {
  const resolved = withAbsolute(user, ['client-certificate', 'client-key', 'tokenFile'], folder);
  const command = user.exec?.command;
  // A bare name is looked up in PATH; with a slash it is a path like the others.
  if (command === undefined || !/[/\\]/.test(command) || isAbsolute(command)) return resolved;
  return { ...resolved, exec: { ...user.exec, command: join(folder, command) } };
}

function withAbsolute<T extends Record<string, unknown>>(entry: T, fields: readonly string[], folder: string): T {
  const changed = fields.flatMap((field) => {
    const value = entry[field];
    return typeof value === 'string' && !isAbsolute(value) ? [[field, join(folder, value)]] : [];
  });
  return { ...entry, ...(Object.fromEntries(changed) as Partial<T>) };
}

function broken(path: string, problem: string): KubeconfigFile {
  return {
    path,
    clusters: new Map(),
    users: new Map(),
    contexts: new Map(),
    currentContext: '',
    problems: [`${problem} Correct it, or take the file out of KUBECONFIG.`],
  };
}

/** What the parser says up to where it quotes the file: that may be a secret. Of tags it quotes anywhere. */
function withoutContent({ code, message }: { readonly code: string; readonly message: string }): string {
  if (code === 'TAG_RESOLVE_FAILED') return 'a tag (!) is not known. Put texts that begin with ! in quotes.';
  return `${(message.split(/[:"'`\n]/, 1)[0] ?? '').trim()}.`;
}
