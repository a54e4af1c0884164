import { decodeChunk, encodeChunk } from '../windows/chunk.ts';
import type { Layout } from '../windows/layout.ts';
import { keyOf } from '../windows/leaf.ts';
import { Timeline } from '../windows/timeline.ts';

/**
 * What one stage knows of one entity: a timeline for each stream. It is kept as chunks of bounded size; a chunk's key is
 * the stream's name and the leaf's place, and belongs behind the entity's own key in a changelog.
 */
export class EntityState {
  readonly timelines: readonly Timeline[];

  constructor(layouts: readonly Layout[]) {
    this.timelines = layouts.map(layout => new Timeline(layout));
  }

  /** Chunks changed since the last call, null where one is gone. Each is given once. */
  *dirtyChunks(): Iterable<readonly [key: string, bytes: Uint8Array | null]> {
    for (const timeline of this.timelines) {
      const { layout } = timeline;
      const { changed, dropped } = timeline.takeChanges();
      // What is gone goes first: a place may have been taken again.
      for (const key of dropped) yield [`${layout.stream}:${key}`, null];
      const newest = timeline.leaves.at(timeline.leaves.length - 1);
      for (const leaf of changed)
        yield [
          `${layout.stream}:${keyOf(leaf)}`,
          leaf.length === 0 ? null : encodeChunk(leaf, layout, leaf === newest),
        ];
    }
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
