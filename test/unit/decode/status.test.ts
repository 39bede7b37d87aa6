import { describe, expect, test } from 'vitest';
import { parseStatus } from '../../../lib/decode/status.ts';

describe('the body of an error', () => {
  test('that is a Status gives its code, reason, message and details', () => {
    const body = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'widgets.example.com "w" is invalid',
      reason: 'Invalid',
      details: {
        name: 'w',
        group: 'example.com',
        kind: 'Widget',
        causes: [{ reason: 'FieldValueInvalid', message: 'must be', field: 'spec.size' }, null],
      },
      code: 422,
    };
    expect(parseStatus(JSON.stringify(body), 422)).toEqual({
      code: 422,
      reason: 'Invalid',
      message: 'widgets.example.com "w" is invalid',
      details: {
        name: 'w',
        group: 'example.com',
        kind: 'Widget',
        causes: [{ reason: 'FieldValueInvalid', message: 'must be', field: 'spec.size' }],
      },
    });
  });

  test('tells how long to wait and with what an expired list goes on', () => {
    expect(parseStatus('{"kind":"Status","code":429,"details":{"retryAfterSeconds":3}}')).toMatchObject({
      code: 429,
      retryAfterSeconds: 3,
    });
    expect(parseStatus('{"kind":"Status","code":410,"reason":"Expired","metadata":{"continue":"eyJ2"}}')).toMatchObject(
      { continueToken: 'eyJ2' },
    );
  });

  test.each([
    ['404 page not found\n', 404, '404 page not found'],
    ['', 503, ''],
    ['<html>bad gateway</html>', 502, '<html>bad gateway</html>'],
    ['{"paths":["/api"]}', 404, '{"paths":["/api"]}'],
    ['null', 500, 'null'],
    ['{"kind":"Sta', 500, '{"kind":"Sta'],
    ['x'.repeat(10_000), 500, 'x'.repeat(500)],
  ])('that is no Status is a message with the HTTP status: %.30s', (body, code, message) => {
    expect(parseStatus(body, code)).toEqual({ code, reason: '', message });
    expect(parseStatus(Buffer.from(body), code)).toEqual({ code, reason: '', message });
  });

  test.each([
    'Unauthorized; the request had "Bearer eyJhbGciOiJSUzI1NiJ9.PLANTED-TOKEN-x1.y2"',
    'invalid bearer token, [eyJhbGciOiJSUzI1NiJ9.PLANTED-TOKEN-x1.y2]',
    'Authorization: bearer PLANTED-TOKEN-0123456789 was refused',
    'Authorization: Basic UExBTlRFRC1UT0tFTg==',
    'cannot use ya29.PLANTED-TOKEN_a0AfH6',
  ])('promise 9: quotes no token, whoever does: %.20s', (message) => {
    const status = JSON.stringify({
      kind: 'Status',
      code: 401,
      message,
      details: { causes: [{ reason: 'x', message, field: message }] },
    });
    const html = `<html><body>${'x'.repeat(470)}${message}</body></html>`;
    for (const body of [status, message, html]) {
      const text = JSON.stringify(parseStatus(body, 401));
      expect(text).not.toMatch(/PLANTED|UExBTlRFRC1/);
      expect(text).toMatch(/token|xxx/);
    }
  });

  test('words that only look like a credential stay', () => {
    const message = 'Basic authentication is off: "basic-auth" of "system:bearer" cannot list resource "pods"';
    expect(parseStatus(message, 403).message).toBe(message);
  });

  test('never throws, whatever the types of its fields and the bytes', () => {
    expect(
      parseStatus('{"kind":"Status","code":"x","reason":5,"message":null,"details":{"causes":7},"metadata":[]}', 500),
    ).toEqual({
      code: 500,
      reason: '',
      message: '',
      details: { causes: [] },
    });
    expect(parseStatus(Uint8Array.of(0xff, 0xfe, 0x00), 400)).toMatchObject({ code: 400, reason: '' });
  });
});
