// Makes an input that fails smaller, so that a person sees what it is about.

/** Tries at most; each runs the check once. */
const MOST_TRIES = 3000;
/** Copied by all of them together, bytes: an input of a megabyte is not made much smaller by trying for minutes. */
const MOST_BYTES = 1024 ** 3;

/** The smallest input found for which `fails` still holds, by leaving out pieces and then making bytes plain. */
export async function shrink(input: Uint8Array, fails: (candidate: Buffer) => Promise<boolean>): Promise<Buffer> {
  let best: Buffer = Buffer.from(input);
  let tries = 0;
  let bytes = 0;
  const mayTry = (): boolean => tries < MOST_TRIES && bytes < MOST_BYTES;
  const isBetter = async (candidate: Buffer): Promise<boolean> => {
    tries += 1;
    bytes += candidate.length;
    if (!(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    let at = 0;
    while (at < best.length && mayTry()) {
      const without = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (!(await isBetter(without))) at += size;
    }
  }
  for (const at of best.keys()) {
    if (!mayTry()) break;
    if (best[at] === PLAIN) continue;
    const plain = Buffer.from(best);
    plain[at] = PLAIN;
    await isBetter(plain);
  }
  return best;
}

const PLAIN = 0x61;
