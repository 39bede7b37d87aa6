// Errors as Google's metadata server shows them: a small page of HTML, of which clients quote the text.

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** `about` is the path that was not found (404), else a sentence. */
export function errorPage(status: number, about: string): string {
  const text =
    status === 404 ? `The requested URL <code>${escaped(about)}</code> was not found on this server.` : escaped(about);
  return [
    '<!DOCTYPE html>',
    '<html lang=en>',
    '  <meta charset=utf-8>',
    `  <title>Error ${status} (${TITLES[status] ?? 'Error'})!!1</title>`,
    `  <p><b>${status}.</b> <ins>That’s an error.</ins>`,
    `  <p>${text}  <ins>That’s all we know.</ins>`,
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
