// What the parent and the children of the decode benchmarks tell each other.

export interface Target {
  /** `http://127.0.0.1:PORT` or https. */
  readonly url: string;
  /** Who signed the server's certificate, as PEM, for https. */
  readonly ca: string | undefined;
  /** Pages of the list. */
  readonly pages: number;
}

/** The server's first message. After it, it answers every message with its `ServerUse`. */
export interface ServerStarted {
  /** Ports. */
  readonly http: number;
  readonly https: number;
  readonly ca: string;
  /** How many events each watch gives. */
  readonly events: number;
  /** How many objects each pass over all pages of the list gives. */
  readonly objects: number;
  readonly pages: number;
}

/** Since the server started. */
export interface ServerUse {
  /** User and system time, all its threads. */
  readonly cpuSeconds: number;
}

export interface Reading {
  /** Events or objects; bytes where nothing is decoded. */
  readonly seen: number;
  readonly wallSeconds: number;
  /** User and system time of the process, all its threads. */
  readonly cpuSeconds: number;
}

/** Makes this process a side: it answers each target with a reading, until its parent lets it go. */
export function readOnDemand(read: (target: Target) => Promise<number>): void {
  process.on('message', (target: Target) => {
    measure(() => read(target)).then(
      (reading) => process.send?.(reading),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit(0));
}

async function measure(read: () => Promise<number>): Promise<Reading> {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  const seen = await read();
  const wallSeconds = (performance.now() - before) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { seen, wallSeconds, cpuSeconds: (user + system) / 1e6 };
}
