/**
 * One task of a pipeline whose feature set has several versions: a lane for each. Every version's vectors are read all the
 * time, and those that another version answers are skipped. States: served (the newest cut is what the control topic
 * wants), wanting (it wants another version; that one has no model in force yet, or the ends of the source are being
 * asked for; the old one goes on answering), cut (written with the next commit, before anything that is judged by it).
 */
import type { Cuts as CutsValue, FeaturesValue } from '@millrace/contracts';
import type { InboundBatch, Outcomes, PartitionOffset, Task, TaskContext } from '@millrace/stream';
import type { Clock, Logger } from '@millrace/telemetry';
import type { Board } from './board.ts';
import type { Cuts } from './cuts.ts';
import type { Lane } from './lane.ts';
import type { PredictionOutputs } from './laneOptions.ts';

export interface SetsOutputs extends PredictionOutputs {
  readonly cuts: CutsValue;
}

/** One version of the set. */
export interface ServedSet {
  readonly version: number;
  readonly board: Pick<Board, 'notReady'>;
  readonly lane: Lane;
  readonly topics: readonly string[];
}

export interface SetsTaskOptions {
  readonly sets: readonly ServedSet[];
  readonly cuts: Cuts;
  /** The version that is to be served now. */
  readonly wanted: () => number;
  /** Ends of the scored stream, as they are now. */
  readonly ends: () => Promise<readonly PartitionOffset[]>;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Context = Pick<TaskContext<SetsOutputs>, 'id' | 'out' | 'signal' | 'commitSoon'>;

export class SetsTask implements Task<FeaturesValue, SetsOutputs> {
  readonly #options: SetsTaskOptions;
  readonly #context: Context;
  readonly #lanes: ReadonlyMap<string, Lane>;
  /** Wanted, and why it cannot be; said once. */
  #refused = '';

  constructor(options: SetsTaskOptions, context: Context, isNew: boolean) {
    this.#options = options;
    this.#context = context;
    this.#lanes = new Map(options.sets.flatMap(({ topics, lane }) => topics.map(topic => [topic, lane])));
    // Where nothing was ever cut, what answers is written down, so that a changed definition cannot change it.
    if (isNew) this.#write();
  }

  handle(batch: InboundBatch<FeaturesValue>, out: Outcomes<SetsOutputs>): Promise<void> {
    return this.#lanes.get(batch.topic)!.handle(batch, out);
  }

  waitsFor(): string | undefined {
    for (const { version, lane } of this.#options.sets) {
      const reason = lane.waitsFor();
      if (reason !== undefined) return `a model for version ${version} of the feature set: ${reason}`;
    }
    return undefined;
  }

  async onTime(): Promise<void> {
    const { sets, cuts, wanted, ends, logger } = this.#options;
    const version = wanted();
    if (version === cuts.version) return;
    const set = sets.find(one => one.version === version);
    const reason = set === undefined ? 'the definition has no such version' : set.board.notReady();
    if (reason !== undefined) return this.#refuse(version, reason);
    const behind = await ends();
    if (this.#context.signal.aborted) return;
    cuts.cut(version, behind);
    this.#write();
    this.#context.commitSoon();
    const { from } = cuts.list.at(-1)!;
    logger.info(
      { task: this.#context.id, version, from: from[this.#context.id] },
      'another version answers from here on',
    );
  }

  #refuse(version: number, reason: string): void {
    const { cuts, logger } = this.#options;
    if (this.#refused === `${version} ${reason}`) return;
    this.#refused = `${version} ${reason}`;
    logger.warn({ task: this.#context.id, wanted: version, serving: cuts.version, reason }, 'the wanted version of the feature set is not served; the one before goes on'); // prettier-ignore
  }

  #write(): void {
    const { cuts, clock } = this.#options;
    const { id, out } = this.#context;
    const value = { task: id, at: clock.now(), cuts: [...cuts.list] };
    out.emit('cuts', Buffer.from(String(id)), value, id);
  }
}
