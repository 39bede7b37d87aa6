// A row tells JavaScript where the parts of one object lie (lib/decode/byte-scanner.ts reads it).

/** A row has 16 numbers of 32 bits; these are the places of their first bytes. */
export const ROW_BYTES: i32 = 64;
export const KIND: i32 = 0;
export const START: i32 = 4;
export const END: i32 = 8;
export const CUT_FROM: i32 = 12;
export const CUT_TO: i32 = 16;
/** Each is followed by the position after the string. */
export const NAME: i32 = 20;
export const NAMESPACE: i32 = 28;
export const UID: i32 = 36;
export const RESOURCE_VERSION: i32 = 44;
export const MANAGER: i32 = 52;

export const OTHER: i32 = 0;
export const ADDED: i32 = 1;
export const MODIFIED: i32 = 2;
export const DELETED: i32 = 3;
export const ITEM: i32 = 4;

export function clear(row: i32): void {
  const zeros = i8x16.splat(0);
  v128.store(row, zeros);
  v128.store(row, zeros, 16);
  v128.store(row, zeros, 32);
  v128.store(row, zeros, 48);
}
