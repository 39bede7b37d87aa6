// What Firestore refused: as a condition that did not hold, or as an error in the words of all of Google's APIs, classified as those
// of a store are.
import { Mk8sError } from '../../model/errors.ts';
import type { TokenSource } from '../../ports/token-source.ts';
import { accessAdvice } from '../google-api/google-advice.ts';
import { googleError, type Refusal } from '../google-api/google-error.ts';
import { Refused } from './documents.ts';

export interface FirestorePlace {
  readonly project: string;
  /** `(default)` is one, too. */
  readonly database: string;
}

/** Conditions of a commit that did not hold: https://grpc.io/docs/guides/status-codes/ */
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const FAILED_PRECONDITION = 9;

/** `attempted`: `read documents`. Without tokens it was an emulator. */
export function firestoreError(
  error: unknown,
  attempted: string,
  place: FirestorePlace,
  tokens: TokenSource | undefined,
): Error {
  if (error instanceof Mk8sError) return error;
  if (isRefused(error)) return new Refused(error);
  const explained = googleError(error, {
    attempted: `${attempted} in Firestore database "${place.database}" of project ${place.project}`,
    identity: tokens?.identity ?? 'nobody (emulator)',
    advice: (refusal) => advice(refusal, place, tokens),
  });
  const { status, reason } = explained;
  return new Mk8sError(explained.message, {
    code: status === 401 ? 'credentials' : status === 429 ? 'full' : 'storage',
    // No token could be had just now, or the one that was had has ended.
    retryable: explained.retryable || status === 401,
    ...(status === undefined ? {} : { status }),
    ...(reason === undefined ? {} : { reason }),
  });
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const { code, message } = error;
  if (code === ALREADY_EXISTS) return true;
  if (code === FAILED_PRECONDITION) return !needsIndex(message);
  // Of a document it says `No document to update: projects/P/databases/D/documents/…`.
  return code === NOT_FOUND && !isWithoutDatabase(message);
}

function needsIndex(message: string): boolean {
  return message.includes('index');
}

function isWithoutDatabase(message: string): boolean {
  return /\bdatabase\b.*does not exist/i.test(message);
}

function advice(refusal: Refusal, { project, database }: FirestorePlace, tokens: TokenSource | undefined) {
  const { status, message } = refusal;
  if (status === 400 && needsIndex(message)) return 'Create the indexes of infra/firestore.tf';
  if (status === 401) return 'Check the credentials';
  if (status === 404) {
    return `Create it: gcloud firestore databases create --database='${database}' --location=LOCATION --project ${project}`;
  }
  return accessAdvice({ api: 'firestore', role: 'datastore.user', project }, tokens ?? {})(refusal);
}
