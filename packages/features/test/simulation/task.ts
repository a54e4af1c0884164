import { SourceCutter } from '../../src/epochs/cutter.ts';
import { EpochGatherer } from '../../src/epochs/gatherer.ts';
import { EPOCH_NONE, partsOf } from '../../src/epochs/number.ts';
import { inReleaseOrder } from '../../src/epochs/release.ts';
import { chain, compareFoldOrder, type LaneRecord, type SimRow, type World, TOPICS } from './world.ts';
import type { Durable, Held, Memory } from './memory.ts';

const SECOND = 2;

/** One task of all three stages, with what a processor does for it: open records, one transaction, crashes. */
export class SimTask {
  readonly #world: World;
  readonly #p: number;
  #durable: Durable = {
    offsets: [0, 0, 0, 0],
    cutter: undefined,
    secondApplied: EPOCH_NONE,
    lastApplied: EPOCH_NONE,
    firstState: new Map(),
    secondState: new Map(),
  };
  #memory: Memory;
  /** How far this task has read the progress topic. */
  #seen = 0;
  readonly #heads: number[];
  readonly #released: number[];
  constructor(world: World, p: number) {
    this.#world = world;
    this.#p = p;
    this.#heads = Array.from({ length: world.partitions }, () => EPOCH_NONE);
    this.#released = Array.from({ length: world.partitions }, () => EPOCH_NONE);
    this.#memory = this.#born();
  }

  #born(): Memory {
    const { epochMs, epochsAheadMax, partitions, mutant } = this.#world;
    const { offsets, cutter, secondApplied, lastApplied, firstState, secondState } = this.#durable;
    const forgetful = mutant === 'forgets-how-far-it-had-read';
    const state =
      cutter && forgetful ? { ...cutter, inputs: cutter.inputs.map(i => i && { ...i, readTo: 0 }) } : cutter;
    const options = {
      epochMs,
      marginMs: 20,
      epochsAheadMax: mutant === 'never-pauses' ? 1e9 : epochsAheadMax,
      histories: this.#world.histories.map(ofTopic => ofTopic[this.#p]),
    };
    return {
      positions: [...offsets],
      open: offsets.map(() => new Map<number, Held>()),
      cutter: new SourceCutter(options, offsets.slice(0, TOPICS.length), state),
      second: new EpochGatherer(partitions, secondApplied),
      last: new EpochGatherer(partitions, lastApplied),
      firstState: new Map(firstState),
      secondState: new Map(secondState),
      toSecond: [],
      toLast: [],
      vectors: [],
      stretches: [],
      cut: cutter,
      headPublished: EPOCH_NONE,
      releasedPublished: lastApplied,
      paused: [false, false],
    };
  }

  crash(): void {
    this.#world.crashes++;
    this.#world.bumped += this.#memory.cutter.bumped;
    this.#memory = this.#born();
  }

  get bumped(): number {
    return this.#memory.cutter.bumped;
  }

  /** Reads up to `count` records of one input; false when there was nothing to read. */
  read(input: number, count: number): boolean {
    const memory = this.#memory;
    const world = this.#world;
    if (memory.paused[input] === true) return false;
    const log =
      input < SECOND
        ? world.sources[input]![this.#p]!
        : input === SECOND
          ? world.second[this.#p]!
          : world.last[this.#p]!;
    const from = memory.positions[input]!;
    const to = Math.min(log.records.length, from + count);
    for (let offset = from; offset < to; offset++) {
      memory.positions[input] = offset + 1;
      const record = log.records[offset]!;
      const held: Held = { input, offset, isMarker: !('appendTimeMs' in record) && record.row === undefined };
      if (this.#take(input, offset, record, held)) memory.open[input]!.set(offset, held);
    }
    if (input < SECOND && from === to) memory.cutter.caughtUp(input, from);
    memory.paused = memory.cutter.pace(Math.min(...this.#released));
    return to > from;
  }

  #take(
    input: number,
    offset: number,
    record: World['sources'][0][0]['records'][0] | LaneRecord,
    held: Held,
  ): boolean {
    const { cutter, second, last } = this.#memory;
    if ('appendTimeMs' in record)
      return cutter.add(input, offset, record.appendTimeMs, record.orderTimeMs, {
        row: { event: record, first: 0, second: 0 },
        held,
      });
    const stage = input === SECOND ? second : last;
    if (record.row === undefined) return stage.marker(record.lane, record.epoch, held);
    return stage.row(record.epoch, { row: record.row, held });
  }

  readProgress(): void {
    const { progress } = this.#world;
    for (; this.#seen < progress.length; this.#seen++) {
      const { task, head, released } = progress[this.#seen]!;
      this.#heads[task] = head;
      this.#released[task] = released;
    }
  }

  /** Everything that can be applied in memory now. */
  advance(): void {
    this.#cut();
    this.#foldSecond();
    this.#release();
    const memory = this.#memory;
    memory.paused = memory.cutter.pace(Math.min(...this.#released));
  }

  #cut(): void {
    const memory = this.#memory;
    const { mutant, nowMs, partitions } = this.#world;
    let headMax = Math.max(...this.#heads);
    if (mutant === 'idle-sources-do-not-mark') headMax = EPOCH_NONE;
    if (mutant === 'idle-sources-always-mark') headMax = Math.floor(nowMs / this.#world.epochMs);
    const cut = memory.cutter.cut(nowMs, headMax);
    if (cut === undefined) return;
    for (const { epoch, rows } of this.#epochs(cut.epochs))
      for (const { row, held } of rows) {
        const { event } = row;
        const first = chain(memory.firstState.get(event.entity) ?? 0, event.id);
        memory.firstState.set(event.entity, first);
        const record = { lane: this.#p, epoch, row: { event, first, second: 0 } };
        memory.toSecond.push({ partition: event.key % partitions, record });
        this.#close(held);
      }
    this.#mark(memory.toSecond, cut.closed);
    memory.stretches.push(...cut.stretches);
    memory.cut = memory.cutter.state();
  }

  #foldSecond(): void {
    const memory = this.#memory;
    const complete = memory.second.take();
    if (complete === undefined) return;
    for (const { epoch, rows } of this.#epochs(complete.epochs))
      for (const { row, held } of rows) {
        const second = chain(memory.secondState.get(row.event.key) ?? 0, row.event.id);
        memory.secondState.set(row.event.key, second);
        if (!row.event.isLabel)
          memory.toLast.push({
            partition: row.event.partition,
            record: { lane: this.#p, epoch, row: { ...row, second } },
          });
        this.#close(held);
      }
    for (const held of complete.markers) this.#close(held);
    this.#mark(memory.toLast, complete.applied);
  }

  #release(): void {
    const complete = this.#memory.last.take();
    if (complete === undefined) return;
    for (const { epoch, rows } of complete.epochs) {
      const releasable = rows.map(({ row }) => ({
        ...row.event,
        entity: String(row.event.entity),
        eventTimeMs: row.event.orderTimeMs,
        row,
      }));
      const inFoldOrder = [...releasable].sort(compareFoldOrder);
      const released =
        this.#world.mutant === 'releases-in-fold-order'
          ? inFoldOrder
          : inReleaseOrder(releasable, partsOf(epoch).phase);
      for (const { row } of released) this.#memory.vectors.push({ row, epoch, partition: this.#p });
      for (const { held } of rows) this.#close(held);
    }
    for (const held of complete.markers) this.#close(held);
  }

  /** Each epoch sorted by itself; the mutant sorts them all as one. */
  #epochs<T extends { readonly row: SimRow }>(
    epochs: readonly { readonly epoch: number; readonly rows: readonly T[] }[],
  ) {
    const sorted = (rows: readonly T[]): T[] =>
      [...rows].sort((a, b) => compareFoldOrder(a.row.event, b.row.event));
    if (this.#world.mutant !== 'one-sort-over-several')
      return epochs.map(({ epoch, rows }) => ({ epoch, rows: sorted(rows) }));
    const epochOfRow = new Map(epochs.flatMap(({ epoch, rows }) => rows.map(row => [row, epoch] as const)));
    return sorted(epochs.flatMap(e => e.rows)).map(row => ({ epoch: epochOfRow.get(row)!, rows: [row] }));
  }

  #mark(out: Memory['toSecond'], epoch: number): void {
    for (let partition = 0; partition < this.#world.partitions; partition++)
      out.push({ partition, record: { lane: this.#p, epoch, row: undefined } });
  }

  #close(held: Held): void {
    this.#memory.open[held.input]!.delete(held.offset);
  }

  /** A processor may commit less than it could: what is applied is then read again. */
  #offsetToCommit(input: number): number {
    const isLazy = input < SECOND && this.#world.dice.chance(0.3);
    return isLazy ? this.#durable.offsets[input]! : this.#lowest(input);
  }

  #lowest(input: number): number {
    const position = this.#memory.positions[input]!;
    const { mutant } = this.#world;
    if (mutant === 'commits-the-position') return position;
    let lowest = position;
    for (const held of this.#memory.open[input]!.values())
      if (!(mutant === 'commits-the-lowest-row' && held.isMarker)) lowest = Math.min(lowest, held.offset);
    return lowest;
  }

  /** One transaction: offsets, outputs, state, head and progress. */
  commit(): void {
    const memory = this.#memory;
    const world = this.#world;
    const outputs = memory.toSecond.length + memory.toLast.length + memory.vectors.length;
    for (const { partition, record } of memory.toSecond.splice(0))
      world.second[partition]!.records.push(record);
    for (const { partition, record } of memory.toLast.splice(0)) world.last[partition]!.records.push(record);
    world.vectors.push(...memory.vectors.splice(0));
    for (const { input, epoch, until } of memory.stretches.splice(0))
      world.recorded[input]![this.#p]!.push({ epoch, end: until });
    this.#durable = {
      offsets: memory.positions.map((_, input) => this.#offsetToCommit(input)),
      cutter: memory.cut,
      secondApplied: memory.second.applied,
      lastApplied: memory.last.applied,
      firstState: new Map(memory.firstState),
      secondState: new Map(memory.secondState),
    };
    world.writes += outputs;
    if (world.mutant !== 'head-after-the-commit') this.#publish();
  }

  commitAndCrash(): void {
    this.commit();
    this.crash();
  }

  /** What the mutant does only after the commit, with time to crash in between. */
  publishLate(): void {
    if (this.#world.mutant === 'head-after-the-commit') this.#publish();
  }

  /** Head and progress. */
  #publish(): void {
    const memory = this.#memory;
    const { head } = memory.cutter;
    const released = memory.last.applied;
    if (head <= Math.max(memory.headPublished, ...this.#heads) && released <= memory.releasedPublished)
      return;
    memory.headPublished = Math.max(memory.headPublished, head, this.#heads[this.#p]!);
    memory.releasedPublished = released;
    this.#world.progress.push({ task: this.#p, head: memory.headPublished, released });
    this.#world.writes++;
  }
}
