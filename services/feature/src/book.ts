import { type CutterState, type Epoch, EPOCH_NONE, type Newest } from '@millrace/features';
import type { KeyedState } from '@millrace/stream';
import { formatted, formattedFrom, unformatted } from './format.ts';

const KEY = 'epochs';

const isBareJson = (record: Uint8Array): boolean => record[0] === '{'.charCodeAt(0);

const beginning = (run: string | undefined): string => (run === undefined ? 'live' : `with backfill ${run}`);

interface Kept {
  /** Hash of the feature set that the state was built by. */
  readonly set: string;
  /** How many partitions the topics had; absent in state of before it was kept. */
  readonly partitions?: number;
  /** The backfill with which the set began; none where it began live. */
  readonly run?: string;
  readonly cutter?: CutterState;
  /** Topics of the cutter's inputs, in their order; absent in state of before it was kept, when they were as they are. */
  readonly topics?: readonly string[];
  /** Newest epoch applied, by stage. */
  readonly applied: Readonly<Record<string, Epoch>>;
  /** As published. */
  readonly head: Epoch;
  readonly released: Epoch;
}

/** What a task keeps of its epochs, in the transaction that applies them: one small record. */
export class TaskBook {
  readonly #state: KeyedState;
  /** An earlier life has kept something. */
  readonly #isOld: boolean;
  #kept: Kept;
  #changed = false;

  /** @throws Error when the state was built by another feature set or over other partitions, or began otherwise */
  constructor(state: KeyedState, set: string, partitions: number, run: string | undefined) {
    this.#state = state;
    const bytes = state.get(KEY);
    this.#isOld = bytes !== undefined;
    this.#kept =
      bytes === undefined
        ? { set, partitions, ...(run && { run }), applied: {}, head: EPOCH_NONE, released: EPOCH_NONE }
        : (JSON.parse(
            new TextDecoder().decode(unformatted('the book of a task', bytes, isBareJson)),
          ) as Kept);
    // What an older release wrote is written anew with the next commit.
    this.#changed = bytes !== undefined && isBareJson(bytes);
    if (this.#kept.set !== set)
      throw new Error(
        'the state was built by another feature set; a changed set is built from history under a new version',
      );
    if (this.#kept.partitions !== undefined && this.#kept.partitions !== partitions)
      throw new Error(
        `the state was built over ${this.#kept.partitions} partitions, and there are to be ${partitions}: keys would move ` +
          'away from what is known of them; docs/OPERATING.md (Partitions) has the way to more of them',
      );
    if (this.#kept.run !== run)
      throw new Error(
        `the state began ${beginning(this.#kept.run)}, and is to go on as if it had begun ${beginning(run)}: a backfill ` +
          'begins a version of a set from nothing; give the set a new version',
      );
  }

  /** Says by which set the state is built, where nothing else has been kept yet. */
  begin(): void {
    if (this.#state.get(KEY) === undefined) this.#changed = true;
    this.flush();
  }

  /**
   * What was kept of the cuts of these inputs, whichever place they had then; undefined where nothing was folded yet.
   * @param topics of the inputs, in their order
   * @throws Error where an older release has kept another number of them
   */
  cutterOf(topics: readonly string[]): CutterState | undefined {
    const { cutter, topics: before = topics, head } = this.#kept;
    if (cutter !== undefined) {
      if (cutter.inputs.length !== before.length)
        throw new Error(
          `the state was cut from ${cutter.inputs.length} topics by a release that does not say which, and now there are ` +
            `${before.length}: start this release once with the streams and tables that the pipeline had, then change them`,
        );
      return { ...cutter, inputs: topics.map(topic => cutter.inputs[before.indexOf(topic)]) };
    }
    if (!this.#isOld || head !== EPOCH_NONE) return undefined;
    // A task has folded its events as it read them: its first epoch begins with the first record, not before.
    return { closed: EPOCH_NONE, inputs: topics.map(() => ({ readTo: 0, ahead: [] })) };
  }

  get head(): Epoch {
    return this.#kept.head;
  }

  get released(): Epoch {
    return this.#kept.released;
  }

  appliedBy(stage: string): Epoch {
    return this.#kept.applied[stage] ?? EPOCH_NONE;
  }

  cut(topics: readonly string[], cutter: CutterState): void {
    this.#change({ cutter, topics });
  }

  apply(stage: string, epoch: Epoch): void {
    this.#change({ applied: { ...this.#kept.applied, [stage]: epoch } });
  }

  publish(head: Epoch, released: Epoch): void {
    this.#change({ head, released });
  }

  /** Writes what changed since the last call. False: nothing. */
  flush(): boolean {
    if (!this.#changed) return false;
    this.#changed = false;
    this.#state.put(KEY, formatted(new TextEncoder().encode(JSON.stringify(this.#kept))));
    return true;
  }

  #change(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change };
    this.#changed = true;
  }
}

/** Event time and sequence, each a double with its big end first, behind the format. */
const NEWEST_BYTES = 16;
const newestRecord = formatted(new Uint8Array(NEWEST_BYTES));
const newestBytes = newestRecord.subarray(1);
const newestView = new DataView(newestBytes.buffer, newestBytes.byteOffset);

const newestKey = (entity: string): string => `newest\0${entity}`;
const isOlderNewest = ({ length }: Uint8Array): boolean => length === NEWEST_BYTES;

/** The newest event of an entity whose vector was released. */
export function newestOf(state: KeyedState, entity: string): Newest | undefined {
  const record = state.get(newestKey(entity));
  if (record === undefined) return undefined;
  const from = formattedFrom('the newest of an entity', record, isOlderNewest);
  // Byte by byte: a view over so small an array would move it out of V8's heap, and there is one for each entity.
  for (let i = 0; i < NEWEST_BYTES; i++) newestBytes[i] = record[from + i]!;
  return { eventTimeMs: newestView.getFloat64(0), sequence: newestView.getFloat64(8) };
}

export function putNewest(state: KeyedState, entity: string, { eventTimeMs, sequence }: Newest): void {
  newestView.setFloat64(0, eventTimeMs);
  newestView.setFloat64(8, sequence);
  state.put(newestKey(entity), newestRecord);
}
