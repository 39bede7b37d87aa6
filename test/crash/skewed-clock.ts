// Loaded into a bridge by --import: its wall clock is wrong, and jumps. CRASH_CLOCK is `OFFSET,JUMP` in milliseconds: the
// clock is OFFSET ahead, and every other second JUMP more. Timers and monotonic time stay right, as they do on a machine.
const [offset = 0, jump = 0] = (process.env['CRASH_CLOCK'] ?? '').split(',').map(Number);
const jumpEveryMs = 1000;
const RealDate = Date;

function skewed(): number {
  const jumped = Math.floor(performance.now() / jumpEveryMs) % 2 === 1;
  return Math.round(RealDate.now() + offset + (jumped ? jump : 0));
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[]) => Reflect.construct(target, args.length === 0 ? [skewed()] : args) as Date,
  apply: () => new RealDate(skewed()).toString(),
  get: (target, name) => (name === 'now' ? skewed : Reflect.get(target, name)),
});
