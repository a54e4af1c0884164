import { Bad } from '@millrace/avro';
import type { Deferred, FeaturesValue } from '@millrace/contracts';
import { ENGINES } from '@millrace/define';
import type { InboundBatch, Outcomes, Task } from '@millrace/stream';
import type { ChooseRoute, PredictionOutputs } from '../laneOptions.ts';
import type { Routed } from '../routing.ts';
import { answersOf, ROWS_AT_ONCE } from './task.ts';

type Batch = InboundBatch<Deferred>;
type Out = Outcomes<PredictionOutputs>;

export interface DeferredTaskOptions {
  /** What scores them: a lane like the stream's. */
  readonly lane: (route: ChooseRoute) => Task<FeaturesValue, PredictionOutputs>;
  /** Offset behind the last record of this run; what stands there or behind is for another night. */
  readonly untilOf: (topic: string) => number;
  readonly pause: (topic: string) => void;
  /** Resolves when the night may go on, or the signal is aborted. */
  readonly mayGoOn: (signal: AbortSignal) => Promise<void>;
  readonly decode: (topic: string, bytes: Uint8Array) => FeaturesValue | Bad;
}

/** Hands the vectors that were put off to a lane, as they stood on their topic. */
export class DeferredTask implements Task<Deferred, PredictionOutputs> {
  readonly #options: DeferredTaskOptions;
  readonly #lane: Task<FeaturesValue, PredictionOutputs>;
  readonly #routed = new WeakMap<InboundBatch<FeaturesValue>, readonly Routed[]>();
  /** One batch after the other, so that what is on its way to the model stays bounded. */
  #before: Promise<void> = Promise.resolve();

  constructor(options: DeferredTaskOptions) {
    this.#options = options;
    this.#lane = options.lane((_, __, ___, { batch, i }) => this.#routed.get(batch)![i]!);
  }

  handle(batch: Batch, out: Out, signal: AbortSignal): Promise<void> {
    this.#before = this.#before.then(() => this.#handle(batch, out, signal));
    return this.#before;
  }

  async #handle(batch: Batch, out: Out, signal: AbortSignal): Promise<void> {
    const { untilOf, pause, mayGoOn } = this.#options;
    const until = untilOf(batch.topic);
    let at: number[] = [];
    let of: Deferred[] = [];
    const hand = async (): Promise<void> => {
      if (at.length === 0) return;
      await mayGoOn(signal);
      if (!signal.aborted)
        await this.#lane.handle(this.#asVectors(batch, at, of), answersOf(out, at), signal);
      [at, of] = [[], []];
    };
    for (let i = 0; i < batch.length && batch.offset(i) < until && !signal.aborted; i++) {
      const value = batch.value(i);
      if (value === null) out.skip(i, 'tombstone');
      else if (value instanceof Bad) out.reject(i, value.reason, value);
      else {
        if (of.length === ROWS_AT_ONCE || (of.length > 0 && of[0]!.topic !== value.topic)) await hand();
        at.push(i);
        of.push(value);
      }
    }
    await hand();
    if (batch.length === 0 || batch.offset(batch.length - 1) < until - 1) return;
    pause(batch.topic);
    // What was put off since stays open, so that the group's offset stands before it.
    if (batch.offset(batch.length - 1) >= until && !signal.aborted)
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  #asVectors(batch: Batch, at: readonly number[], of: readonly Deferred[]): InboundBatch<FeaturesValue> {
    const { topic, partition } = of[0]!;
    const vectors: InboundBatch<FeaturesValue> = {
      topic,
      partition,
      length: at.length,
      offset: i => of[i]!.offset,
      appendTimeMs: i => batch.appendTimeMs(at[i]!),
      key: i => batch.key(at[i]!),
      bytes: i => of[i]!.vector,
      header: (i, name) => batch.header(at[i]!, name),
      value: i => this.#options.decode(topic, of[i]!.vector),
    };
    const routed = of.map(({ route, routeVersion, review, engine: asked }): Routed => {
      // One that only a later release knows is answered as the manifest says.
      const engine = ENGINES.find(one => one === asked);
      return { route, routeVersion, to: 'stream', review, ...(engine && { engine }) };
    });
    this.#routed.set(vectors, routed);
    return vectors;
  }
}
