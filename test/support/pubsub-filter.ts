// The filters of Pub/Sub's subscriptions, as far as docs/pubsub.md uses them; the emulator ignores filters.
// Source: https://cloud.google.com/pubsub/docs/subscription-message-filter#filtering_syntax

type Attributes = Readonly<Record<string, string>>;

const token =
  /\s*(?:(AND|OR|NOT)\b|([()])|hasPrefix\(attributes\.([\w-]+),\s*"([^"]*)"\)|attributes:([\w-]+)|attributes\.([\w-]+)\s*=\s*"([^"]*)")/y;

/** @throws SyntaxError where it is none, or longer than 256 bytes. */
export function matchesFilter(filter: string, attributes: Attributes): boolean {
  if (Buffer.byteLength(filter) > 256) throw new SyntaxError(`a filter of more than 256 bytes: ${filter}`);
  const words = wordsOf(filter, attributes);
  let at = 0;

  /** AND and OR may not be mixed without parentheses. */
  function expression(): boolean {
    let value = term();
    const operator = words[at];
    while (words[at] === 'AND' || words[at] === 'OR') {
      if (words[at] !== operator) throw new SyntaxError(`AND and OR without parentheses: ${filter}`);
      at += 1;
      const next = term();
      value = operator === 'AND' ? value && next : value || next;
    }
    return value;
  }

  function term(): boolean {
    const word = words[at];
    at += 1;
    if (typeof word === 'boolean') return word;
    if (word === 'NOT') return !term();
    if (word !== '(') throw new SyntaxError(`"${String(word)}" where a condition should be: ${filter}`);
    const value = expression();
    if (words[at] !== ')') throw new SyntaxError(`a parenthesis is missing: ${filter}`);
    at += 1;
    return value;
  }

  const value = expression();
  if (at < words.length) throw new SyntaxError(`something after its end: ${filter}`);
  return value;
}

/** Operators and parentheses as they are, conditions as what they come to. */
function wordsOf(filter: string, attributes: Attributes): readonly (string | boolean)[] {
  const words: (string | boolean)[] = [];
  token.lastIndex = 0;
  for (let end = 0; end < filter.trimEnd().length; end = token.lastIndex) {
    token.lastIndex = end;
    const found = token.exec(filter);
    if (found === null) throw new SyntaxError(`no filter from character ${end} on: ${filter}`);
    const [, operator, parenthesis, prefixed, prefix = '', present, name = '', value] = found;
    if (operator !== undefined || parenthesis !== undefined) words.push(operator ?? parenthesis ?? '');
    else if (prefixed !== undefined)
      words.push((attributes[prefixed] ?? '').startsWith(prefix) && prefixed in attributes);
    else if (present !== undefined) words.push(present in attributes);
    else words.push(attributes[name] === value);
  }
  return words;
}
