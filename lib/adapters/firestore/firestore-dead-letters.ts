// Changes that a sink refused for good, kept for people, in Firestore.
import type { DeadLetter, DeadLetterStore } from '../../ports/event-sink.ts';
import type { Documents } from './documents.ts';
import { letterId } from './names.ts';

export function firestoreDeadLetters(documents: Documents): DeadLetterStore {
  return {
    async put(letter) {
      const { sink, stream, id, sequence, reason, at } = letter;
      const fields = { sink, stream, id, sequence, reason, at };
      await documents.commit([{ kind: 'put', path: `deadLetters/${letterId(sink, stream, id)}`, fields }]);
    },
    async list(limit) {
      const orderBy = { field: 'at', descending: true };
      const found = await documents.query({ collection: 'deadLetters', where: [], orderBy, limit });
      return found.map(({ fields }) => fields as unknown as DeadLetter);
    },
    count: () => documents.count('deadLetters'),
  };
}
