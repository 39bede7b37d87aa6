import { describe, expect, test } from 'vitest';
import { binaryEventHeaders, encodeHeaderValue } from '../../../lib/adapters/http/binary-event.ts';
import { retryAfterMs } from '../../../lib/adapters/http/retry-after.ts';
import { widgetRevision } from '../../support/sink-revision.ts';

describe('a change as HTTP headers', () => {
  test('has every attribute as a ce- header and the data content type as content-type', () => {
    expect(binaryEventHeaders(widgetRevision(7, 'a', { type: 'delete' }))).toEqual({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': expect.stringMatching(/^[0-9a-f]{32}$/),
      'ce-source': '//c-1',
      'ce-type': 'dev.knative.apiserver.resource.delete',
      'ce-subject': '/apis/example.com/v1/namespaces/team-a/widgets/a',
      'ce-time': '2026-01-01T00:00:00.000Z',
      'ce-kind': 'Widget',
      'ce-apiversion': 'example.com/v1',
      'ce-resource': 'widgets.example.com',
      'ce-name': 'a',
      'ce-namespace': 'team-a',
      'ce-cluster': 'c-1',
      'ce-resourceversion': '107',
      'ce-epoch': '1',
      'ce-origin': 'watch',
      'ce-manager': 'kubectl',
    });
  });

  test.each([
    // The first is the example in section 3.1.3.2 of the CloudEvents HTTP binding.
    ['Euro € 😀', 'Euro%20%E2%82%AC%20%F0%9F%98%80'],
    ['100% "sure"', '100%25%20%22sure%22'],
    ['system:controller', 'system:controller'],
    ['two\nlines\0', 'two%0Alines%00'],
    ["~!#$&'()*+,/;=?@[]", "~!#$&'()*+,/;=?@[]"],
  ])('encodes %j as %j', (text, encoded) => {
    expect(encodeHeaderValue(text)).toBe(encoded);
    expect(decodeURIComponent(encoded)).toBe(text);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  test.each([
    ['120', 120_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['-1', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j means %j ms', (header, expected) => {
    expect(retryAfterMs(header, now)).toBe(expected);
  });
});
