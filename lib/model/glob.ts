// Patterns with `*`, as people write them for names.

/** A predicate: `*` stands for any characters (dots and slashes too), everything else for itself. */
export function glob(pattern: string): (text: string) => boolean {
  const expression = new RegExp(`^${pattern.split('*').map((part) => RegExp.escape(part)).join('.*')}$`);
  return (text) => expression.test(text);
}
