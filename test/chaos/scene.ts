/** What a scenario has in its hands: the rig, seeded choices, and a list of what it did and when. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Counts, Fault, Watched } from './judge/recovery.ts';
import type { Rig } from './rig/rig.ts';

export class Scene {
  readonly rig: Rig;
  readonly faults: Fault[] = [];
  /** Places of inputs whose answers were destroyed on purpose, and told of: they are not to be answered. */
  readonly gone = new Set<string>();
  /** Numbers of inputs whose letters somebody sends again: they have a letter first, and an answer at last. */
  readonly resent = new Set<number>();
  /** What a scenario found wrong by itself, in a sentence each. */
  readonly complaints: string[] = [];
  readonly random: () => number;
  readonly say: (line: string) => void;
  readonly #beganMs = Date.now();

  constructor(rig: Rig, random: () => number) {
    this.rig = rig;
    this.random = random;
    this.say = rig.options.say;
  }

  /** Does something bad, and notes when it began and when it was over. */
  async fault(
    what: string,
    action: () => unknown,
    { counts = 'from-end', watched = [] }: { counts?: Counts; watched?: readonly Watched[] } = {},
  ): Promise<void> {
    this.rig.options.signal.throwIfAborted();
    const beganMs = Date.now();
    this.say(`  ${((beganMs - this.#beganMs) / 1000).toFixed(1).padStart(6)} s  ${what}`);
    await action();
    this.faults.push({ what, beganMs, endedMs: Date.now(), counts, watched });
  }

  /** Moments at which members ended or stood still by themselves, which count as faults of their own. */
  counted(moments: readonly { readonly name: string; readonly atMs: number }[]): void {
    for (const { name, atMs } of moments)
      this.faults.push({ what: name, beganMs: atMs, endedMs: atMs, counts: 'from-end', watched: [] });
  }

  wait(seconds: number): Promise<void> {
    return sleep(seconds * 1000, undefined, { signal: this.rig.options.signal });
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return from[Math.floor(this.random() * from.length)]!;
  }

  /** Waits until it is so. @returns whether it came to be so */
  async until(isSo: () => boolean, seconds: number): Promise<boolean> {
    const end = performance.now() + seconds * 1000;
    while (!isSo()) {
      if (performance.now() > end) return false;
      await this.wait(0.1);
    }
    return true;
  }
}
