/** Looks at the topics like every consumer, committed records only, and keeps the account of what was answered. */
import { Bad, openCodec } from '@millrace/avro';
import { catalogue, deadLetterTopic, type PredictionValue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { PartitionOffset } from '@millrace/stream';
import type { World } from '../world/prepare.ts';
import { decoded, wholeTopic } from '../world/slice.ts';
import { Ledger } from './account.ts';
import { Latencies } from './latency.ts';

const RISKY_MAX = 5;

export class Watch {
  readonly ledger = new Ledger();
  readonly latencies = new Latencies();
  readonly decisions: Record<string, number> = {};
  risky: PredictionValue[] = [];
  firstAppendMs = Number.POSITIVE_INFINITY;
  lastAppendMs = 0;
  readonly #world: World;
  readonly #pipeline: Pipeline;
  /** Ends of the topics when the watch began: what an earlier demo left there is not ours. */
  readonly #from: ReadonlyMap<string, readonly PartitionOffset[]>;

  private constructor(
    world: World,
    pipeline: Pipeline,
    from: ReadonlyMap<string, readonly PartitionOffset[]>,
  ) {
    this.#world = world;
    this.#pipeline = pipeline;
    this.#from = from;
  }

  static async begin(world: World, pipeline: Pipeline): Promise<Watch> {
    const topics = topicsOf(pipeline);
    const names = [topics.scored, topics.predictions, ...Watch.#letterTopics(pipeline)];
    const ends = await Promise.all(
      names.map(async name => [name, await world.broker.admin.endOffsets(name)] as const),
    );
    return new Watch(world, pipeline, new Map(ends));
  }

  /** Where a scored event, or a vector of one, can be rejected. */
  static #letterTopics(pipeline: Pipeline): string[] {
    const { scored, features } = topicsOf(pipeline);
    return [scored, features].map(deadLetterTopic);
  }

  #openCodec<T>(topic: string) {
    return openCodec<T>(
      this.#world.registry,
      catalogue([this.#pipeline]).find(t => t.name === topic)!.value!,
    );
  }

  /** Where the input topic ended when the watch began, all partitions added: 0 on a stack of our own. */
  get inputsBefore(): number {
    return this.#from.get(topicsOf(this.#pipeline).scored)!.reduce((sum, { offset }) => sum + offset, 0);
  }

  /** Follows predictions until the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const topic = topicsOf(this.#pipeline).predictions;
    const codec = await this.#openCodec<PredictionValue>(topic);
    const from = this.#from.get(topic)!;
    for await (const { value, appendTimeMs } of decoded(this.#world.broker.read({ from, signal }), codec)) {
      if (value === null || value instanceof Bad || value.runId !== 'live' || value.role !== 'answer')
        continue;
      if (this.ledger.sawAnswer(value.predictionId, value.fallback === null ? 'scored' : 'fallback'))
        this.#measure(value, appendTimeMs);
    }
  }

  #measure(value: PredictionValue, appendTimeMs: number): void {
    this.latencies.add(appendTimeMs - value.appendTime);
    this.firstAppendMs = Math.min(this.firstAppendMs, value.appendTime);
    this.lastAppendMs = Math.max(this.lastAppendMs, appendTimeMs);
    this.decisions[value.decision] = (this.decisions[value.decision] ?? 0) + 1;
    const score = (p: PredictionValue): number => Object.values(p.outputs)[0]!;
    if (this.risky.length < RISKY_MAX || score(value) > score(this.risky.at(-1)!))
      this.risky = [...this.risky, value].toSorted((a, b) => score(b) - score(a)).slice(0, RISKY_MAX);
  }

  /** Reads the dead letters that there are now. */
  async countLetters(): Promise<void> {
    for (const topic of Watch.#letterTopics(this.#pipeline)) {
      const until = await this.#world.broker.admin.endOffsets(topic);
      for await (const run of this.#world.broker.read({ from: this.#from.get(topic)!, until }))
        for (let i = 0; i < run.length; i++) {
          const header = (name: string): string =>
            Buffer.from(run.header(i, `__dlq.errors.${name}`) ?? []).toString();
          this.ledger.sawLetter(header('topic'), Number(header('partition')), Number(header('offset')));
        }
    }
  }

  /** Reads the inputs once, after the last was sent. */
  async countInputs(): Promise<void> {
    const topic = topicsOf(this.#pipeline).scored;
    const codec = await this.#openCodec<{ eventId: string; revision: number }>(topic);
    const from = new Map(this.#from.get(topic)!.map(p => [p.partition, p.offset]));
    for await (const { value, partition, offset } of decoded(
      await wholeTopic(this.#world.broker, topic),
      codec,
    )) {
      if (offset < (from.get(partition) ?? 0)) continue;
      if (value === null || value instanceof Bad) this.ledger.sawInput(undefined, 0);
      else this.ledger.sawInput(value.eventId, value.revision);
    }
  }
}
