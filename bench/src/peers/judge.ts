/** Judges answers by a reader that is not ours: `bench/peers/python/judge.py`. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PartitionOffset } from '@millrace/stream';
import type { Contestant } from '../contestants.ts';
import { jobOf, writeJob } from '../job.ts';
import type { BenchWorld } from '../world/open.ts';
import { type BuildOptions, PYTHON_SCRIPTS, pythonCommand } from './build.ts';

const JUDGE = join(PYTHON_SCRIPTS, 'judge.py');
const JUDGE_MS_MAX = 1_800_000;
const run = promisify(execFile);

/** How results call it. */
export const JUDGE_NAME = 'bench/peers/python/judge.py';

/** Who judges beside our own reader; null, and why, where there is no Python for it. */
export interface Judging {
  readonly python: string | null;
  readonly judgeLeft: string | undefined;
}

/** Says it where there is none: our own account is then all that says whether answers are right. */
export const judgingBy = async (options: BuildOptions): Promise<Judging> => {
  try {
    return { python: await pythonCommand(options), judgeLeft: undefined };
  } catch (error) {
    const judgeLeft = (error as Error).message;
    options.say(`THE JUDGE IS LEFT OUT, it needs python3 with venv: ${judgeLeft}`);
    return { python: null, judgeLeft };
  }
};

/** As results tell it. */
export interface JudgedBy {
  readonly judge: string | null;
  readonly judgeLeft: string | undefined;
}

export const judgedBy = ({ python, judgeLeft }: Judging): JudgedBy => ({
  judge: python === null ? null : JUDGE_NAME,
  judgeLeft,
});

/** What the script prints, as it is. */
export const askJudge = async (python: string, ...args: readonly string[]): Promise<unknown> => {
  const { stdout } = await run(python, [JUDGE, ...args], { timeout: JUDGE_MS_MAX });
  return JSON.parse(stdout);
};

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
  /** Answers from these offsets on; every vector that was looked at should have one. They are deleted then. */
  judge(contestant: Answering, from: readonly PartitionOffset[]): Promise<Verdict>;
}

const asJson = (offsets: readonly PartitionOffset[]): string =>
  JSON.stringify(Object.fromEntries(offsets.map(({ partition, offset }) => [partition, offset])));

/** Has every vector of the features topic from these offsets on scored offline first. */
export const openJudge = async (
  world: BenchWorld,
  python: string,
  vectorsFrom: readonly PartitionOffset[],
): Promise<Judge> => {
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
  await askJudge(python, 'expect', jobFor({ outTopic: '' }), expected, asJson(vectorsFrom));
  return {
    judge: async (contestant, from) =>
      (await askJudge(python, 'answers', jobFor(contestant), expected, asJson(from))) as Verdict,
  };
};
