// Keeps V8 from letting garbage lie (promise 7): what waits in its heap for the next collection is more than it looks, for
// garbage there still holds buffers of the socket and of the compression.
//
// The young generation stays at semi-spaces of 4 MiB; left alone it grows to 16 MiB under load. A first sync of 100,000 objects
// peaked at 227 MB with it, at about 150 MB without, for no more processor time. V8 takes a largest size only at its start
// (--max-semi-space-size), but how fast to grow at any time.
//
// The old generation is collected when it has doubled; left alone V8 lets a small one grow to four times what it holds. A first
// sync of 200,000 objects peaked at 188 to 195 MB with that, at 139 to 172 MB without, in about the same time. (Growth of
// 50 % saved little more and took a fifth longer.)
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** With less, what is read ahead outlives two collections, moves to the old generation, and stays for longer. */
const MOST_YOUNG_MIB = 4;
const OLD_GROWTH_PERCENT = 100;

/** Lets each semi-space grow to 4 MiB and no further; one that is larger already stays. Calling it again changes nothing. */
export function boundHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${OLD_GROWTH_PERCENT}`);
  const factor = Math.floor(MOST_YOUNG_MIB / semiSpaceMiB());
  if (factor <= 1) return setYoungGrowth(1);
  // To the limit at once: it must not be passed before we hear of it.
  setYoungGrowth(factor);
  const observer = new PerformanceObserver(() => {
    if (semiSpaceMiB() * 2 <= MOST_YOUNG_MIB) return;
    setYoungGrowth(1);
    observer.disconnect();
  });
  observer.observe({ entryTypes: ['gc'] });
}

function setYoungGrowth(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}

/** What one may hold now. */
function semiSpaceMiB(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  // Without the headers of its pages.
  return young === undefined
    ? MOST_YOUNG_MIB
    : Math.ceil((young.space_used_size + young.space_available_size) / 2 ** 20);
}
