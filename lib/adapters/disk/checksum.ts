// Frames carry checksums of their own; the rows beside them (where a stream stands, what an object's last state was) get
// one each here. SQLite has none, and a flipped bit in a number or a name is a row like any other to it: it would resume a
// watch at another place, or bury an object that lives.
import { crc32 } from 'node:zlib';
import { corrupt } from './storage-error.ts';

/** CRC-32 over the values of a row, in the order of its columns: finds every flipped bit, and all but 1 of 4 billion other changes. */
export function checksum(...values: readonly (string | number | null | undefined)[]): number {
  // No value of ours holds a zero byte, so values can't run into each other.
  return crc32(values.map((value) => value ?? 'null').join('\0'));
}

/** Throws Mk8sError `storage` where a row is not what was written. `row` names it. */
export function mustMatch(stored: number, computed: number, folder: string, attempted: string, row: string): void {
  if (stored !== computed) throw corrupt(folder, attempted, `${row} is not as it was written`);
}
