// The Retry-After header (RFC 9110, 10.2.3): seconds, or a date.

/** How long to wait, in milliseconds, at least 0; undefined where the header is absent or is neither form. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // A date has letters; Date.parse alone would also take "-1" or "1.5".
  const date = /^[A-Z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
