import { INFERENCE_DEFAULTS } from '@millrace/inference';
import { seededRandom } from '@millrace/pipelines';
import type { Broker, GroupListener, Membership, PartitionOffset, RecordRun, TopicPartition, TransactionalProducer } from '@millrace/stream'; // prettier-ignore

/** How much of one partition a process may hold, read and not committed, and still be given more. */
export interface Marks {
  readonly rows: number;
  readonly bytes: number;
}

/** Of inference as it ships. */
export const MARKS_DEFAULT: Marks = {
  rows: INFERENCE_DEFAULTS.laneRowsMax,
  bytes: INFERENCE_DEFAULTS.laneBytesMax,
};
const ROWS_MAX = 12;
/** Some vectors. */
const BYTES_MIN = 200;
const BYTES_MAX = 3_000;

/** What the seed sets: in half of the seeds so little that lanes fill; of dice of its own, so that it changes no other choice. */
export const marksOf = (seed: number): Marks => {
  const dice = seededRandom(Math.imul(seed, 0xc2b2ae35) ^ 0x27d4eb2f);
  if (dice.chance(0.5)) return MARKS_DEFAULT;
  return dice.chance(0.5)
    ? { ...MARKS_DEFAULT, rows: dice.integer(1, ROWS_MAX) }
    : { ...MARKS_DEFAULT, bytes: dice.integer(BYTES_MIN, BYTES_MAX) };
};

/** A stretch of one partition that one life of its task reads without a break. */
interface Stretch {
  /** What lies before it is committed, as the process knows. */
  committedTo: number;
  /** Runs given. */
  runs: number;
  held: { readonly offset: number; readonly bytes: number }[];
}

/** A run was handed to a process. */
export interface Arrival extends PartitionOffset {
  readonly atMs: number;
  readonly of: Readonly<Pick<Stretch, 'committedTo'>>;
  /** Nobody was ever given what lies from here on, and the task has had a run before, so that it could rest. */
  readonly isFurther: boolean;
}

interface Watched {
  readonly name: string;
  /** Aborted when it is told to stop, or has ended. */
  readonly stopping: AbortSignal;
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/**
 * What processes read, seen from outside: what the broker hands to them, and what they commit. Of partitions with marks a
 * further run may come only while what is held is below them, so that they are passed by one run at most.
 */
export class Reading {
  readonly #now: () => number;
  /** Of partitions that have no marks. */
  readonly arrivals: Arrival[] = [];
  readonly violations: string[] = [];
  /** How often a run brought a partition to its marks. */
  full = 0;
  readonly #readTo = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param marks none: the service bounds what it holds by other means */
  watch(broker: Broker, process: Watched, marks: Marks | undefined): Broker {
    const stretches = new Map<string, Stretch>();
    let generations = 0;
    const begin = (at: PartitionOffset): void => {
      stretches.set(nameOf(at), { committedTo: at.offset, runs: 0, held: [] });
    };
    const committed = (at: PartitionOffset): void => {
      const of = stretches.get(nameOf(at));
      if (of === undefined) return;
      of.committedTo = at.offset;
      of.held = of.held.filter(({ offset }) => offset >= at.offset);
    };
    const given = (run: RecordRun): void => {
      const of = stretches.get(nameOf(run));
      // Before its task has been acquired, and once it is told to stop, there is nobody who would keep what comes.
      if (of === undefined || process.stopping.aborted) return;
      if (marks === undefined) this.#note(run, of);
      else this.#judge(run, of, process.name, marks);
    };
    return {
      ...broker,
      admin: {
        ...broker.admin,
        committed: async (group, topics, ofTask) => {
          const asked = generations;
          const offsets = await broker.admin.committed(group, topics, ofTask);
          if (ofTask === undefined || asked !== generations) return offsets;
          // A new life of the task: what an earlier one held is void, unless it was committed.
          for (const topic of topics) begin({ topic, partition: ofTask, offset: 0 });
          offsets.forEach(begin);
          return offsets;
        },
      },
      join: async (options, listener) => {
        const assigned: GroupListener['assigned'] = assignment => {
          generations++;
          stretches.clear();
          return listener.assigned(assignment);
        };
        const run: GroupListener['run'] = of => {
          given(of);
          listener.run(of);
        };
        return watchedMember(await broker.join(options, { ...listener, assigned, run }), begin, committed);
      },
      transactionalProducer: async id => watchedProducer(await broker.transactionalProducer(id), committed),
    };
  }

  #judge(run: RecordRun, { held }: Stretch, process: string, marks: Marks): void {
    if (isFull(held, marks))
      this.violations.push(
        `memory stays within its marks: ${process} was given offset ${run.offset(0)} of ${nameOf(run)} while it held ${held.length} rows, ${bytesOf(held)} bytes`,
      );
    for (let i = 0; i < run.length; i++)
      held.push({ offset: run.offset(i), bytes: (run.key(i)?.length ?? 0) + (run.value(i)?.length ?? 0) });
    if (isFull(held, marks)) this.full++;
  }

  #note(run: RecordRun, of: Stretch): void {
    const { topic, partition, nextOffset } = run;
    const offset = run.offset(0);
    const readTo = this.#readTo.get(nameOf(run)) ?? 0;
    const isFurther = offset >= readTo && of.runs > 0;
    of.runs++;
    this.arrivals.push({ topic, partition, offset, atMs: this.#now(), of, isFurther });
    this.#readTo.set(nameOf(run), Math.max(readTo, nextOffset));
  }
}

const bytesOf = (held: Stretch['held']): number => held.reduce((sum, { bytes }) => sum + bytes, 0);

const isFull = (held: Stretch['held'], marks: Marks): boolean =>
  held.length >= marks.rows || bytesOf(held) >= marks.bytes;

type Told = (at: PartitionOffset) => void;

function watchedMember(member: Membership, sought: Told, committed: Told): Membership {
  const seek = member.seek.bind(member);
  const commit = member.commit.bind(member);
  return Object.assign(member, {
    seek: (to: PartitionOffset): void => {
      sought(to);
      seek(to);
    },
    commit: async (offsets: readonly PartitionOffset[]): Promise<void> => {
      await commit(offsets);
      offsets.forEach(committed);
    },
  });
}

function watchedProducer(producer: TransactionalProducer, committed: Told): TransactionalProducer {
  let open: readonly PartitionOffset[] = [];
  return {
    ...producer,
    sendOffsets: (group, offsets) => {
      open = [...open, ...offsets];
      return producer.sendOffsets(group, offsets);
    },
    commit: async () => {
      await producer.commit();
      open.forEach(committed);
      open = [];
    },
  };
}
