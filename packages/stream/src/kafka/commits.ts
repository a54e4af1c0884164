import type { PartitionOffset } from '../broker/port.ts';

interface Gathered {
  readonly offsets: PartitionOffset[];
  readonly committed: PromiseWithResolvers<void>;
}

/** Offsets that tasks commit in one turn of the event loop go in one request, and fail together. */
export class GatheredCommits {
  readonly #commit: (offsets: readonly PartitionOffset[]) => Promise<void>;
  #gathered: Gathered | undefined;

  constructor(commit: (offsets: readonly PartitionOffset[]) => Promise<void>) {
    this.#commit = commit;
  }

  /** Resolves when these are committed. */
  commit(offsets: readonly PartitionOffset[]): Promise<void> {
    const gathered = (this.#gathered ??= this.#gather());
    gathered.offsets.push(...offsets);
    return gathered.committed.promise;
  }

  #gather(): Gathered {
    const gathered: Gathered = { offsets: [], committed: Promise.withResolvers<void>() };
    setImmediate(() => {
      this.#gathered = undefined;
      this.#commit(gathered.offsets).then(gathered.committed.resolve, gathered.committed.reject);
    });
    return gathered;
  }
}
