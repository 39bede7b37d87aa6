// Changes that a sink refused for good, kept for people until retention by age takes them.
import type { DeadLetter, DeadLetterStore } from '../../ports/event-sink.ts';
import type { Database } from './database.ts';

export function createDiskDeadLetters(database: Database): DeadLetterStore {
  const { sql } = database;
  const put = sql.prepare(
    'INSERT OR REPLACE INTO dead_letter (sink, stream, id, sequence, reason, at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const list = sql.prepare('SELECT * FROM dead_letter ORDER BY at DESC, sequence DESC LIMIT ?');
  const count = sql.prepare('SELECT count(*) AS n FROM dead_letter');

  return {
    async put({ sink, stream, sequence, id, reason, at }) {
      database.write('keep a dead letter', () => put.run(sink, stream, id, sequence, reason, at));
    },
    async list(limit) {
      const found = database.read('list dead letters', () => list.all(limit) as unknown as DeadLetter[]);
      return found.map((letter) => ({ ...letter }));
    },
    async count() {
      return database.read('count dead letters', () => Number(count.get()?.['n']));
    },
  };
}
