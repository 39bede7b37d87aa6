// One deliberate break of the production code: what is broken, and which promise that breaks.

export interface Mutation {
  /** Said in a few words, as a defect: `checkpoint before publish`. */
  readonly name: string;
  /** The promise that no longer holds; `live` where streams no longer catch up. */
  readonly breaks: number | 'live';
  /** Path from the root of the repository. */
  readonly file: string;
  /** Text that occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Faults (`area.fault`) without which it makes no difference: every world then has them. */
  readonly faults?: readonly string[];
}

/** The file's text with the mutation in it. Throws where `find` does not occur exactly once: the code has changed. */
export function mutate(text: string, { name, file, find, replace }: Mutation): string {
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(
      `Mutation "${name}": its text occurs ${parts.length - 1} times in ${file}, not once. Adapt it to the code as it is now`,
    );
  }
  return parts.join(replace);
}
