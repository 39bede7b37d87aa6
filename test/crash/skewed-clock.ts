// Loaded into a bridge by --import: its wall clock is wrong, and jumps. CRASH_CLOCK is `OFFSET,JUMP,HOW`: the clock is
// OFFSET milliseconds ahead, and JUMP more: with `often` every other second, with `once` from the eighth second on. Timers
// and monotonic time stay right, as they do on a machine.
const [offset = '0', jump = '0', how = 'often'] = (process.env['CRASH_CLOCK'] ?? '').split(',');
const [first, every] = [8000, 1000];
const RealDate = Date;

function skewed(): number {
  const ms = performance.now();
  const jumped = how === 'once' ? ms > first : Math.floor(ms / every) % 2 === 1;
  return Math.round(RealDate.now() + Number(offset) + (jumped ? Number(jump) : 0));
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[]) => Reflect.construct(target, args.length === 0 ? [skewed()] : args) as Date,
  apply: () => new RealDate(skewed()).toString(),
  get: (target, name) => (name === 'now' ? skewed : Reflect.get(target, name)),
});
