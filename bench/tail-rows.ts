// The peer of a tail: reads one row per change and writes it as a line. Argument: the folder of the rows.
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [folder = ''] = process.argv.slice(2);
const database = new DatabaseSync(join(folder, 'baseline.db'), { readOnly: true });
const page = database.prepare('SELECT * FROM revision WHERE sequence > ? ORDER BY sequence LIMIT 400');
for (let after = 0; ; ) {
  const rows = page.all(after);
  if (rows.length === 0) break;
  let text = '';
  for (const { object, ...columns } of rows) {
    text += `${JSON.stringify(columns).slice(0, -1)},"object":${String(object)}}\n`;
  }
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  after = Number(rows.at(-1)?.['sequence']);
}
database.close();
