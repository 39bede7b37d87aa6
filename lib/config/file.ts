// Reads mk8s.yaml. Every complaint names the file, the line, the key, what was expected and what was found.
import type { LineCounter, Node, Pair, YAMLMap } from 'yaml';
import { check, kinds } from './kinds.ts';
import { nearest } from './nearest.ts';
import { type Option, options } from './options.ts';
import { describe, type Setting } from './setting.ts';

export interface FileSettings {
  /** By key. */
  readonly settings: ReadonlyMap<string, Setting>;
  /** Sentences without a full stop, each beginning `FILE:LINE: `. */
  readonly complaints: readonly string[];
}

/** Parses and checks the text of a config file. `name` is the file as the user knows it. */
export async function readConfigText(text: string, name: string): Promise<FileSettings> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines });
  const at = (node: unknown): string => `${name}:${lineOf(node, lines)}`;
  const syntax = document.errors.map(
    (error) =>
      `${name}:${lines.linePos(error.pos[0]).line}: ${(error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')}`,
  );
  if (syntax.length > 0) return { settings: new Map(), complaints: syntax };

  const settings = new Map<string, Setting>();
  const complaints: string[] = [];

  const readMap = (map: YAMLMap, prefix: string): void => {
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const key = `${prefix}${yaml.isScalar(pair.key) ? String(pair.key.value) : String(pair.key)}`;
      const option = byKey.get(key);
      const empty = pair.value === null || (yaml.isScalar(pair.value) && pair.value.value === null);
      if (option !== undefined) {
        if (!empty) readValue(option, pair);
      } else if (!sections.has(key)) {
        complaints.push(`${at(pair.key)}: unknown key "${key}"${suggestion(key)}`);
      } else if (yaml.isMap(pair.value)) {
        readMap(pair.value, `${key}.`);
      } else if (!empty) {
        complaints.push(
          `${at(pair.key)}: ${key} must be a section with ${keysUnder(key)}, not ${describe(pair.value)}`,
        );
      }
    }
  };

  const readValue = (option: Option, pair: Pair<Node, Node | null>): void => {
    let plain: unknown;
    try {
      plain = pair.value?.toJS(document);
    } catch (error) {
      complaints.push(
        `${at(pair.key)}: ${option.key} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
      return;
    }
    const result = check(option.kind, typeof plain === 'string' ? kinds[option.kind].fromText(plain) : plain);
    if ('value' in result) {
      settings.set(option.key, { value: result.value, origin: at(pair.key) });
      return;
    }
    for (const { path, expected, found } of result.mismatches) {
      const node = deepest(pair.value, path) ?? pair.key;
      const inside = found === undefined ? '' : `, not ${describe(found)}`;
      complaints.push(`${at(node)}: ${option.key} must be ${expected}${inside}`);
    }
  };

  const root = document.contents;
  if (yaml.isMap(root)) readMap(root, '');
  else if (root !== null && !(yaml.isScalar(root) && root.value === null)) {
    complaints.push(`${at(root)}: expected keys and values, like "data: .mk8s"`);
  }
  return { settings, complaints };
}

const byKey: ReadonlyMap<string, Option> = new Map(options.map((option) => [option.key, option]));
const sections: ReadonlySet<string> = new Set(
  options.filter(({ key }) => key.includes('.')).map(({ key }) => key.slice(0, key.indexOf('.'))),
);

function suggestion(key: string): string {
  const near = nearest(key, [...byKey.keys(), ...sections]);
  return near === undefined ? `; the keys are ${[...byKey.keys()].join(', ')}` : `; did you mean "${near}"?`;
}

function keysUnder(section: string): string {
  return [...byKey.keys()]
    .filter((key) => key.startsWith(`${section}.`))
    .map((key) => key.slice(section.length + 1))
    .join(', ');
}

function lineOf(node: unknown, lines: LineCounter): number {
  const range = (node as { range?: readonly [number, number, number] } | null | undefined)?.range;
  return range === undefined ? 1 : lines.linePos(range[0]).line;
}

/** The node at the longest part of `path` that exists under `node`. */
function deepest(node: Node | null, path: readonly (string | number)[]): Node | undefined {
  let current: unknown = node;
  for (const step of path) {
    const next: unknown = (current as { get?: (key: string | number, keep: boolean) => unknown } | null)?.get?.(
      step,
      true,
    );
    if (next === undefined || next === null) break;
    current = next;
  }
  return (current as Node | null) ?? undefined;
}
