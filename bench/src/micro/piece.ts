/** What is measured by itself, and how. */

/** User and system time of all threads of this process, microseconds. */
const cpuOfProcess = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Counts CPU while it runs. */
export class Meter {
  readonly #cpuUs: () => number;
  #us = 0;

  constructor(cpuUs = cpuOfProcess) {
    this.#cpuUs = cpuUs;
  }

  /** Microseconds of CPU so far. */
  get us(): number {
    return this.#us;
  }

  async run<T>(work: () => T | Promise<T>): Promise<T> {
    const begun = this.#cpuUs();
    const result = await work();
    this.#us += this.#cpuUs() - begun;
    return result;
  }
}

/** A piece of a hot path. */
export interface Piece {
  readonly name: string;
  /**
   * Works once over all records. The meter runs while the piece is at work, and not while its input is made ready or its
   * output is looked at. Gives what is wrong with the output, or undefined where nothing is.
   */
  readonly round: (meter: Meter) => Promise<string | undefined>;
}

/** Records that a task is handed at a time, about as many as a fetch of small events has. */
export const RUN_RECORDS = 5_000;

/** Results that are looked at after a round. */
export const KEPT = 500;

/**
 * A piece that makes one thing of one thing, those of the pool in turn. The last of what it made are kept, and looked at.
 * @param wrong what is wrong with the thing that was made, or undefined
 */
export const oneByOne = <From, Made>(
  name: string,
  { pool, records }: { readonly pool: readonly From[]; readonly records: number },
  make: (from: From) => Made,
  wrong: (from: From, made: Made) => string | undefined,
): Piece => ({
  name,
  round: async meter => {
    const made: Made[] = [];
    await meter.run(() => {
      for (let i = 0; i < records; i++) made[i % KEPT] = make(pool[i % pool.length]!);
    });
    for (let i = Math.max(0, records - KEPT); i < records; i++) {
      const found = wrong(pool[i % pool.length]!, made[i % KEPT]!);
      if (found !== undefined) return `record ${i}: ${found}`;
    }
    return undefined;
  },
});
