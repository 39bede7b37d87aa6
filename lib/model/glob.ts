// Patterns with `*`, as people write them for names.

/**
 * A predicate: `*` stands for any characters (dots, slashes and line breaks too), everything else for itself. Takes time
 * in proportion to pattern and text at most multiplied: as a regular expression, a dozen stars would try for hours.
 */
export function glob(pattern: string): (text: string) => boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    const end = text.length - last.length;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    // What stands between two stars is taken where it comes first: that leaves the most for the rest.
    let at = first.length;
    for (const part of others) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  };
}
