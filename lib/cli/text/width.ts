// Text on a terminal: safe to print, and as wide as it looks.

/** Without control characters: a context name or an error text from elsewhere must not steer the terminal. */
export function printable(text: string): string {
  // Nearly all names are like this, and a tail prints many.
  if (/^[!-~]*$/.test(text)) return text;
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Bidi_Control}]/gu, '\ufffd');
}

/** Columns that text without control characters takes on a terminal. */
export function widthOf(text: string): number {
  // Nearly all names are ASCII.
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

function widthOfCharacter(character: string): number {
  if (/\p{Mark}|\u200d|\ufe0f/u.test(character)) return 0;
  const wide =
    /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60]/u;
  return wide.test(character) ? 2 : 1;
}

/** At most `width` columns; what is left out is marked by `…`. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = widthOfCharacter(character);
    if (used + next > width - 1) break;
    kept += character;
    used += next;
  }
  return `${kept}…`;
}

/** Exactly `width` columns: fitted, or filled with spaces. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'right'): string {
  if (text.length <= width && /^[ -~]*$/.test(text))
    return side === 'right' ? text.padEnd(width) : text.padStart(width);
  const fitted = fit(text, width);
  const space = ' '.repeat(Math.max(0, width - widthOf(fitted)));
  return side === 'right' ? fitted + space : space + fitted;
}
