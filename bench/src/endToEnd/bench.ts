/** `bench end-to-end`: all services as processes, exactly once, from the events topic to rows in PostgreSQL. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fraud } from '@millrace/pipelines';
import { moreRounds, type Summed, summed } from '../figures.ts';
import { Folded, Payments } from '../load/payments.ts';
import { alone, table } from '../table.ts';
import { type BenchWorld, type OpenOptions, withWorld } from '../world/open.ts';
import { chainsOf } from './chain.ts';
import { isChainRight } from './judge.ts';
import { ONE_KEY, writeModels } from './oneKey.ts';
import { type Course, type FullRound, fullRound, type SteadyRound, steadyRound, workOff } from './round.ts';
import { openRows } from './rows.ts';
import { type Usage, USAGE_FIGURES } from './usage.ts';

export interface EndToEndOptions extends Pick<OpenOptions, 'settings' | 'environment' | 'signal' | 'say'> {
  /** A backlog as fast as it goes, instead of a steady rate. */
  readonly full: boolean;
  /** Payments of a backlog. */
  readonly records: number;
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly rounds: number;
  /** Payments before anything counts; labels come once they are a week of event time. */
  readonly history: number;
  /** The pipeline without epochs beside it, where it is asked for. */
  readonly against: string | undefined;
}

/**
 * Rounds of a steady rate before those that count. A broker that was just started compiles its own code for about three
 * minutes of such a load, which takes up to half of its time and doubles every wait.
 */
const WARM_ROUNDS = 6;

const WAITS = ['p50', 'p95', 'p99', 'p999', 'max', 'vectorP50', 'vectorP99'] as const;

type Figure = 'recordsPerSecond' | (typeof WAITS)[number] | keyof Usage;
type Round = (SteadyRound | FullRound) & { readonly contestant: string };

export interface EndToEndResult {
  readonly bench: 'end-to-end';
  readonly form: 'steady' | 'full';
  readonly settings: Readonly<Record<string, string>>;
  /** Asked for: payments a second for so many seconds, or payments of a backlog. */
  readonly recordsPerSecond?: number;
  readonly seconds?: number;
  readonly records?: number;
  readonly millrace: Summed<Figure>;
  readonly against: string | undefined;
  readonly other: Summed<Figure> | undefined;
  readonly judgedBy: string;
  readonly correct: boolean;
  readonly rounds: readonly Round[];
}

const told = ({ contestant, ...one }: Round, n: number): string => {
  const figure = 'p50' in one ? `p50 ${one.p50} ms, p99 ${one.p99} ms` : `${one.recordsPerSecond} payments/s`;
  const disturbed = one.disturbed === undefined ? '' : `, disturbed: ${one.disturbed}`;
  const wrong = isChainRight(one.account) ? '' : `, WRONG: ${JSON.stringify(one.account)}`;
  return `${contestant}, round ${n}: ${figure}${disturbed}${wrong}`;
};

interface Rounds {
  readonly counted: readonly Round[];
  readonly correct: boolean;
}

const measure = async (world: BenchWorld, options: EndToEndOptions): Promise<Rounds> => {
  const { full, records, recordsPerSecond, seconds, rounds: wanted, history, against, settings, say } = options;
  const rows = openRows(world.database!.url);
  try {
    const courses: Course[] = [];
    for (const chain of chainsOf(world, against, settings)) {
      const { pipeline } = chain;
      const payments = await Payments.open(world, pipeline);
      courses.push({ world, chain, payments, folded: new Folded(pipeline), rows });
    }
    for (const course of courses) {
      say(`${course.chain.name}: warming up with ${history} payments`);
      await workOff(course, history);
    }
    const next = async (course: Course): Promise<Round> => {
      const one = full ? await fullRound(course, records) : await steadyRound(course, recordsPerSecond, seconds);
      return { contestant: course.chain.name, ...one };
    };
    const warm: Round[] = [];
    for (let n = 1; n <= (full ? 0 : WARM_ROUNDS); n++)
      for (const course of courses) {
        const round = await next(course);
        warm.push(round);
        say(`not counted, the broker warms up: ${told(round, n)}`);
      }
    const done: Round[] = [];
    const of = (name: string) => done.filter(({ contestant }) => contestant === name);
    for (let n = 1; moreRounds(wanted, courses.map(({ chain }) => of(chain.name))); n++)
      for (const course of courses) {
        const round = await next(course);
        done.push(round);
        say(told(round, n));
      }
    return { counted: done, correct: [...warm, ...done].every(one => isChainRight(one.account)) };
  } finally {
    await rows.close();
  }
}; // prettier-ignore

const open = async (options: EndToEndOptions): Promise<Rounds> => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  const shipped = { pipeline: fraud, model: fraud.model.name, outTopics: [] };
  const others = options.against === undefined ? [] : [ONE_KEY];
  try {
    const opened = { ...options, ...shipped, models: writeModels(folder), others, stores: true } as const;
    return await withWorld(opened, world => measure(world, options));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export const benchEndToEnd = async (options: EndToEndOptions): Promise<EndToEndResult> => {
  const { counted: rounds, correct } = await open(options);
  const { full, records, recordsPerSecond, seconds, settings, against } = options;
  const figures: readonly Figure[] = ['recordsPerSecond', ...(full ? [] : WAITS), ...USAGE_FIGURES];
  // A backlog has no waits, and none are asked for.
  const figured = rounds as readonly (Round & Readonly<Record<Figure, number>>)[];
  const of = (name: string): Summed<Figure> =>
    summed(
      figures,
      figured.filter(({ contestant }) => contestant === name),
    );
  return {
    bench: 'end-to-end',
    form: full ? 'full' : 'steady',
    settings,
    ...(full ? { records } : { recordsPerSecond, seconds }),
    millrace: of('millrace'),
    against,
    other: against === undefined ? undefined : of(against),
    judgedBy: 'the score of the model and the vector of the fold, both offline',
    correct,
    rounds,
  };
};

/** As lines: the pipeline as it ships, alone or beside the other. */
export const endToEndTable = ({ millrace, against, other }: EndToEndResult): readonly string[] =>
  other === undefined ? alone(millrace) : table(millrace, against!, other);
