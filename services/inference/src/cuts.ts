/**
 * Which version of a feature set answers which event: a list of cuts, each an offset of every source partition from which
 * on one version answers. An event has a vector of every version, read at times that nobody knows, so both must be judged
 * alike: a new cut therefore lies behind every event of which any vector was looked at before, and no event ever changes
 * hands. What was looked at by this life of the task is counted here; what an earlier life looked at was on the source
 * before, so its ends of now lie behind that.
 */
import type { VersionCut } from '@millrace/contracts';

/** Cuts that are kept. Events before the oldest are older than any vector that still comes. */
export const CUTS_MAX = 100;

export class Cuts {
  #cuts: readonly VersionCut[];
  /** By source partition, the offset behind every event that was looked at. */
  readonly #behind: number[] = [];

  /** @param first the version that answers where nothing was ever cut */
  constructor(first: number, kept: readonly VersionCut[] = []) {
    this.#cuts = kept.length > 0 ? kept : [{ version: first, from: [] }];
  }

  get list(): readonly VersionCut[] {
    return this.#cuts;
  }

  /** The version that answers what is still to come. */
  get version(): number {
    return this.#cuts.at(-1)!.version;
  }

  /** Whether this version answers the event; the same for ever, once it was asked. */
  owns(version: number, partition: number, offset: number): boolean {
    if (offset >= (this.#behind[partition] ?? 0)) this.#behind[partition] = offset + 1;
    for (let i = this.#cuts.length - 1; i > 0; i--)
      if (offset >= (this.#cuts[i]!.from[partition] ?? 0)) return this.#cuts[i]!.version === version;
    return this.#cuts[0]!.version === version;
  }

  /** From here on this version answers. @param ends of every source partition, as they are now */
  cut(version: number, ends: readonly { readonly partition: number; readonly offset: number }[]): void {
    const last = this.#cuts.at(-1)!;
    const from: number[] = [];
    for (const { partition, offset } of ends)
      from[partition] = Math.max(offset, this.#behind[partition] ?? 0, last.from[partition] ?? 0);
    this.#cuts = [...this.#cuts, { version, from }].slice(-CUTS_MAX);
  }
}
