// What Firestore refuses, and what is said of it, over real gRPC by Google's own library.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Documents, Refused } from '../../../lib/adapters/firestore/documents.ts';
import { firestoreDocuments } from '../../../lib/adapters/firestore/firestore-documents.ts';
import { firestoreError } from '../../../lib/adapters/firestore/firestore-error.ts';
import { Mk8sError } from '../../../lib/model/errors.ts';
import { Token } from '../../../lib/model/token.ts';
import { type GrpcServer, type GrpcStatus, serveGrpc } from '../../support/grpc-server.ts';

const member = 'serviceAccount:runner@shop.iam.gserviceaccount.com';
const tokens = {
  identity: 'service account runner@shop.iam.gserviceaccount.com (metadata server)',
  principal: member,
  get: () => Promise.resolve(new Token('ya29.secret', new Date(Date.now() + 3_600_000))),
};

let server: GrpcServer;
let answer: GrpcStatus;
let documents: Documents;
beforeEach(async () => {
  server = await serveGrpc(() => answer);
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', server.host);
  documents = firestoreDocuments({ project: 'shop', database: '(default)', tokens });
});
afterEach(async () => {
  await documents.close();
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
});

async function refused(status: GrpcStatus): Promise<unknown> {
  answer = status;
  return await documents
    .commit([{ kind: 'put', path: 'c/d', fields: {} }])
    .then(() => expect.fail('it was accepted'))
    .catch((error: unknown) => error);
}

const said = (why: string): string =>
  `Cannot write documents in Firestore database "(default)" of project shop as ${tokens.identity}: ${why}`;

describe('a commit that Firestore refuses', () => {
  test.each([
    [
      { code: 7, details: 'Missing or insufficient permissions.' },
      `403 PERMISSION_DENIED Missing or insufficient permissions. Grant it: gcloud projects add-iam-policy-binding shop --role roles/datastore.user --member ${member}`,
      { code: 'storage', retryable: false },
    ],
    [
      { code: 7, details: 'Cloud Firestore API has not been used in project 123.', reason: 'SERVICE_DISABLED' },
      '403 SERVICE_DISABLED Cloud Firestore API has not been used in project 123. Enable it: gcloud services enable firestore.googleapis.com --project shop',
      { code: 'storage', retryable: false },
    ],
    [
      { code: 5, details: 'The database (default) does not exist for project shop' },
      "404 NOT_FOUND The database (default) does not exist for project shop. Create it: gcloud firestore databases create --database='(default)' --location=LOCATION --project shop",
      { code: 'storage', retryable: false },
    ],
    [
      { code: 9, details: 'The query requires an index.' },
      '400 FAILED_PRECONDITION The query requires an index. Create the indexes of infra/firestore.tf',
      { code: 'storage', retryable: false },
    ],
    [
      { code: 3, details: 'Document is too large. It had ya29.leaked in it.' },
      '400 INVALID_ARGUMENT Document is too large. It had [token] in it',
      { code: 'storage', retryable: false },
    ],
    [
      { code: 16, details: 'Request had invalid authentication credentials.' },
      '401 UNAUTHENTICATED Request had invalid authentication credentials. Check the credentials',
      { code: 'credentials', retryable: true },
    ],
  ] as const)('with %j is told whole, and classified', async (status, why, classified) => {
    const error = await refused(status);
    expect(error).toBeInstanceOf(Mk8sError);
    expect((error as Mk8sError).message).toBe(said(why));
    expect(error).toMatchObject(classified);
  });

  test.each([
    { code: 6, details: 'Document already exists: projects/shop/databases/(default)/documents/c/d' },
    { code: 9, details: 'the stored version (1) does not match the required base version (2)' },
    // Its path has "databases" in it, and it is no missing database.
    { code: 5, details: 'No document to update: projects/shop/databases/(default)/documents/c/d' },
  ])('with %j is a condition that did not hold', async (status) => {
    expect(await refused(status)).toBeInstanceOf(Refused);
  });
});

/** The library repeats these by itself, for up to a minute. */
test.each([
  [8, 'Quota exceeded.', { code: 'full', retryable: true, status: 429 }],
  [14, 'The service is currently unavailable.', { code: 'storage', retryable: true, status: 503 }],
  [10, 'Aborted due to cross-transaction contention.', { code: 'storage', retryable: true, status: 409 }],
])('what passes (%i: %s) is to be tried again', (code, details, classified) => {
  const failed = Object.assign(new Error(`${code}: ${details}`), { code, details });
  expect(firestoreError(failed, 'read documents', { project: 'shop', database: 'd' }, tokens)).toMatchObject(
    classified,
  );
});

test('a connection that fails before Firestore answers is to be tried again, and is told with its reason', () => {
  const error = firestoreError(
    new Error('socket hang up'),
    'read documents',
    { project: 'shop', database: 'd' },
    undefined,
  );
  expect(error).toMatchObject({ code: 'storage', retryable: true });
  expect(error.message).toBe(
    'Cannot read documents in Firestore database "d" of project shop as nobody (emulator): socket hang up',
  );
});
