import type { FeaturesValue } from '@millrace/contracts';
import { featureNames, type Pipeline } from '@millrace/define';

/** Vectors as they are on the topic, one row each, in the order of the feature set. */
export class Vectors {
  readonly names: readonly string[];
  readonly #rows = new Map<string, number>();
  readonly #sequences: number[] = [];
  #data: Float32Array;
  doubled = 0;
  lastAppendMs = 0;

  constructor(pipeline: Pipeline, rowsExpected: number) {
    this.names = featureNames(pipeline.features);
    this.#data = new Float32Array(rowsExpected * this.names.length);
  }

  get rows(): number {
    return this.#rows.size;
  }
  /** Row-major. */
  get data(): Float32Array {
    return this.#data.subarray(0, this.rows * this.names.length);
  }
  rowOf(eventId: string): number | undefined {
    return this.#rows.get(eventId);
  }
  sequence(row: number): number {
    return this.#sequences[row]!;
  }
  row(row: number): Float32Array {
    return this.#data.subarray(row * this.names.length, (row + 1) * this.names.length);
  }

  /** Takes the first vector of an event, and counts those that come again. */
  take(value: FeaturesValue, appendTimeMs: number): void {
    if (this.#rows.has(value.eventId)) {
      this.doubled++;
      return;
    }
    const width = this.names.length;
    const row = this.#rows.size;
    if ((row + 1) * width > this.#data.length) throw new RangeError('more vectors than events');
    this.#rows.set(value.eventId, row);
    this.#sequences.push(value.sequence);
    this.names.forEach((name, i) => (this.#data[row * width + i] = value.features[name] ?? Number.NaN));
    this.lastAppendMs = Math.max(this.lastAppendMs, appendTimeMs);
  }
}
