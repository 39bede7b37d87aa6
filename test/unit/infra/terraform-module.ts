// Terraform files as data: what is defined, and what each definition refers to. Enough for checks that need no provider, which
// cannot be downloaded everywhere.
import { createRequire } from 'node:module';

// Not imported: its types would bring the browser's along, for the whole project.
const require = createRequire(import.meta.url);
const { parse } = require('@cdktf/hcl2json') as {
  readonly parse: (file: string, text: string) => Promise<Readonly<Record<string, unknown>>>;
};

export interface Definition {
  /** As others refer to it: `var.mode`, `local.apis`, `google_pubsub_topic.changes`, `data.google_project.this`, `output.job`. */
  readonly address: string;
  readonly body: unknown;
  /** Addresses in its expressions, in order, with repetitions. */
  readonly refersTo: readonly string[];
}

export interface TerraformModule {
  readonly files: Readonly<Record<string, string>>;
  readonly definitions: readonly Definition[];
}

/** Throws with file, line and reason where a text is not HCL. */
export async function terraformModule(files: Readonly<Record<string, string>>): Promise<TerraformModule> {
  const parsed = await Promise.all(Object.entries(files).map(([name, text]) => parse(name, text)));
  const found = parsed.flatMap((file) => [
    ...named(file['variable'], 'var.'),
    ...named(file['output'], 'output.'),
    ...listOf(file['locals']).flatMap((locals) => named(locals, 'local.')),
    ...entriesOf(file['resource']).flatMap(([type, byName]) => named(byName, `${type}.`)),
    ...entriesOf(file['data']).flatMap(([type, byName]) => named(byName, `data.${type}.`)),
  ]);
  return { files, definitions: found.map((each) => ({ ...each, refersTo: referencesIn(each.body) })) };
}

/** The parsed values of a .tfvars file. */
export async function terraformValues(name: string, text: string): Promise<Readonly<Record<string, unknown>>> {
  return await parse(name, text);
}

function named(byName: unknown, prefix: string): { address: string; body: unknown }[] {
  return entriesOf(byName).map(([name, body]) => ({ address: `${prefix}${name}`, body }));
}

function referencesIn(value: unknown): string[] {
  if (typeof value === 'string') {
    const code = expressionsOf(value);
    return Array.from(
      code.matchAll(/(?<![\w.])(?:(?:var|local)\.\w+|data\.\w+\.\w+|google_\w+\.\w+)/g),
      ([found]) => found,
    );
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(referencesIn) : [];
}

/**
 * The expressions of a template, `a ${b.c("d ${e.f}")}` → ` b.c(  e.f )`: without text, without comments. What is
 * inside `$${…}` is text.
 */
export function expressionsOf(template: string): string {
  let code = '';
  // Innermost last: text in quotes (or the template itself), or an expression with its open braces.
  const within: ('text' | { braces: number })[] = ['text'];
  for (let at = 0; at < template.length; at += 1) {
    const place = within.at(-1);
    const rest = template.slice(at);
    if (place === undefined) break;
    if (place === 'text') {
      if (rest.startsWith('$${') || (rest.startsWith('\\') && within.length > 1)) at += rest.startsWith('\\') ? 1 : 2;
      else if (rest.startsWith('${')) {
        within.push({ braces: 0 });
        code += ' ';
        at += 1;
      } else if (rest.startsWith('"') && within.length > 1) within.pop();
      continue;
    }
    const comment = /^(?:#|\/\/)[^\n]*/.exec(rest)?.[0];
    if (comment !== undefined) at += comment.length - 1;
    else if (rest.startsWith('"')) within.push('text');
    else if (rest.startsWith('}') && place.braces === 0) {
      within.pop();
      code += ' ';
    } else {
      if (rest.startsWith('{')) place.braces += 1;
      if (rest.startsWith('}')) place.braces -= 1;
      code += template[at];
    }
  }
  return code;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
