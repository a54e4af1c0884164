import { decodeChunk, encodeChunk } from '../windows/chunk.ts';
import type { Layout } from '../windows/layout.ts';
import { keyOf, type Leaf } from '../windows/leaf.ts';
import { Timeline } from '../windows/timeline.ts';

/**
 * What one stage knows of one entity: a timeline for each stream. It is kept as chunks of bounded size; a chunk's key is
 * the stream's name and the leaf's place, and belongs behind the entity's own key in a changelog.
 */
export class EntityState {
  readonly timelines: readonly Timeline[];
  readonly #prefix: string;

  /** @param prefix what the keys of its chunks begin with, where they are given */
  constructor(layouts: readonly Layout[], prefix = '') {
    this.timelines = layouts.map(layout => new Timeline(layout));
    this.#prefix = prefix;
  }

  /**
   * Calls back for each chunk changed since the last call, null where one is gone. Each is given once, and good until the
   * next one.
   * @param kept a chunk as it was last given, so that of one that has grown only what is new is encoded
   */
  eachDirtyChunk(
    keep: (key: string, bytes: Uint8Array | null) => void,
    kept: (key: string) => Uint8Array | undefined,
  ): void {
    for (const timeline of this.timelines) {
      const { layout } = timeline;
      const { changed, dropped } = timeline.takeChanges();
      // What is gone goes first: a place may have been taken again.
      for (const leaf of dropped) keep(this.#keyOf(leaf, layout), null);
      for (const leaf of changed) {
        const key = this.#keyOf(leaf, layout);
        const before = leaf.written === 0 ? undefined : kept(key);
        keep(key, leaf.length === 0 ? null : encodeChunk(leaf, layout, before));
      }
    }
  }

  /** They as a list, for as long as one likes. */
  dirtyChunks(
    kept: (key: string) => Uint8Array | undefined = () => undefined,
  ): readonly (readonly [key: string, bytes: Uint8Array | null])[] {
    const chunks: (readonly [string, Uint8Array | null])[] = [];
    this.eachDirtyChunk(
      (key, bytes) => chunks.push([key, bytes === null ? null : new Uint8Array(bytes)]),
      kept,
    );
    return chunks;
  }

  /** Made once for each leaf: its chunk is written again and again. */
  #keyOf(leaf: Leaf, { stream }: Layout): string {
    return (leaf.key ??= `${this.#prefix}${stream}:${keyOf(leaf)}`);
  }

  /** Forgets which chunks changed: for folds that keep no changelog. */
  forgetChanges(): void {
    for (const timeline of this.timelines) timeline.takeChanges();
  }

  /** Puts one chunk back, in any order. @throws RangeError for a chunk of other views */
  restoreChunk(key: string, bytes: Uint8Array): void {
    const stream = key.slice(0, key.indexOf(':'));
    const timeline = this.timelines.find(t => t.layout.stream === stream);
    if (timeline === undefined)
      throw new RangeError(`chunk of stream '${stream}', which this stage does not keep`);
    timeline.restore(decodeChunk(bytes, timeline.layout));
  }

  /** Drops what no event from `time` on (milliseconds) needs; folding does so by itself for entities that go on. */
  expireBefore(time: number): void {
    for (const timeline of this.timelines) timeline.expireBefore(time);
  }

  /** What it takes in memory, about. */
  get bytes(): number {
    return this.timelines.reduce((sum, timeline) => sum + timeline.bytes, 0);
  }

  get isEmpty(): boolean {
    return this.timelines.every(timeline => timeline.leaves.length === 0);
  }
}
