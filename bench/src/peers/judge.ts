/** Judges answers by a reader that is not ours: `bench/peers/python/judge.py`. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PartitionOffset } from '@millrace/stream';
import type { Contestant } from '../contestants.ts';
import { jobOf, writeJob } from '../job.ts';
import type { BenchWorld } from '../world/open.ts';
import { PYTHON_SCRIPTS } from './build.ts';

const JUDGE = join(PYTHON_SCRIPTS, 'judge.py');
const JUDGE_MS_MAX = 1_800_000;
const run = promisify(execFile);

/** What the judge counted. Only a record's first answer is looked at closely. */
export interface Verdict {
  readonly answers: number;
  readonly missing: number;
  readonly doubled: number;
  /** Of no record, or of another than they say. */
  readonly foreign: number;
  readonly wrongScores: number;
  /** Ids, digests, decisions, keys or vectors that are not what they should be. */
  readonly wrongFields: number;
  /** Bytes of an answer's value. */
  readonly bytesMean: number;
  /** Null where an output is no number. */
  readonly worstScore: number | null;
}

export const isRight = ({ missing, doubled, foreign, wrongScores, wrongFields }: Verdict): boolean =>
  missing + doubled + foreign + wrongScores + wrongFields === 0;

type Answering = Pick<Contestant, 'outTopic' | 'written'>;

export interface Judge {
  /** Answers from these offsets on; every vector there is should have one. They are deleted then. */
  judge(contestant: Answering, from: readonly PartitionOffset[]): Promise<Verdict>;
}

/** Has every vector of the features topic scored offline first. */
export const openJudge = async (world: BenchWorld, python: string): Promise<Judge> => {
  const expected = join(world.directory, 'expected.npz');
  const jobFor = ({ outTopic, written }: Answering): string =>
    writeJob(
      jobOf(world, {
        contestant: 'judge',
        group: 'bench.judge',
        outTopic,
        exactlyOnce: true,
        commitMs: 0,
        ...written,
      }),
    );
  const ask = async (...args: readonly string[]): Promise<unknown> => {
    const { stdout } = await run(python, [JUDGE, ...args], { timeout: JUDGE_MS_MAX });
    return JSON.parse(stdout);
  };
  await ask('expect', jobFor({ outTopic: '' }), expected);
  return {
    judge: async (contestant, from) => {
      const offsets = Object.fromEntries(from.map(({ partition, offset }) => [partition, offset]));
      return (await ask('answers', jobFor(contestant), expected, JSON.stringify(offsets))) as Verdict;
    },
  };
};
