// Texts that others wrote and that we repeat: a server's error message, a plugin's stderr. Some quote the very token that they
// refuse, and no token may leave (promise 9). Only forms that are recognised for certain are taken out.

const forms: readonly RegExp[] = [
  // The Authorization header (RFC 9110, 11.6.2), with its scheme. A word without a digit is prose.
  /\b(Bearer|Basic)\s+(?=\S*[\d=])[\w.~+/=-]{8,}/gi,
  // JSON Web Tokens (RFC 7519): `eyJ` is `{"` in base64.
  /\b()eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g,
  // Google access tokens, and those of `aws eks get-token`.
  /\b()(?:ya29\.|k8s-aws-v1\.)[\w.-]{8,}/g,
];

/** The text with `[token]` in place of credentials. */
export function withoutCredentials(text: string): string {
  return forms.reduce(
    (left, form) => left.replaceAll(form, (_, scheme: string) => (scheme === '' ? '[token]' : `${scheme} [token]`)),
    text,
  );
}
