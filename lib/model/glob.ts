// Patterns with `*`, as people write them for names.

/** A predicate: `*` stands for any characters (dots and slashes too), everything else for itself. */
export function glob(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*').map((part) => RegExp.escape(part));
  const expression = new RegExp(`^${parts.join('.*')}$`);
  return (text) => expression.test(text);
}
