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
