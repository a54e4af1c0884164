/** Who is measured by `bench peers`, with which settings, and how each is built and started. */
import { join } from 'node:path';
import { type Contestant, type Delivery, millrace, type MillraceOptions, plain } from '../contestants.ts';
import { jobOf, writeJob, type Written } from '../job.ts';
import { launch } from '../launch.ts';
import type { BenchWorld } from '../world/open.ts';
import { type BuildOptions, javaClassPath, javaCommand, PYTHON_SCRIPTS, pythonCommand } from './build.ts';
import { scoresSchema } from './scores.ts';

/** No peers: scores alone show what whole predictions cost, bytes read and written back what the machine gives at best. */
export const BESIDE = ['java-scores', 'ceiling'] as const;
export const CONTESTANTS = [
  'millrace', 'kafka-streams', 'kafka-streams-batched', 'flink', 'flink-batched', 'java-batch', 'java-tuned', 'python', 'kafkajs',
  ...BESIDE,
] as const; // prettier-ignore
export type ContestantName = (typeof CONTESTANTS)[number];

/** Those who are asked for where none is named: kafkajs is the plain program, which has no transactions. */
export const contestantsFor = (delivery: Delivery): readonly ContestantName[] =>
  CONTESTANTS.filter(name => delivery === 'at-least-once' || name !== 'kafkajs');

/** Where each writes that is not ours: a topic of its own. */
const peerTopic = (name: string): string => `bench.${name}.v1`;
export const PEER_TOPICS = CONTESTANTS.filter(name => name !== 'millrace').map(peerTopic);

/** How long those who commit by themselves wait between commits, milliseconds. */
const COMMIT_MS: Readonly<Record<Delivery, number>> = { 'exactly-once': 100, 'at-least-once': 1_000 };
/** Millrace commits every 25 ms by default, for latency; here all are to be fast. */
const MILLRACE_SETTINGS = { INFERENCE_COMMIT_INTERVAL_MS: '100' };

/** The serial collector costs the least CPU at this size of heap. */
const JVM = ['-Xms256m', '-Xmx1g', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
/** Flink reaches into these. */
const FLINK_JVM = [
  '--add-opens=java.base/java.util=ALL-UNNAMED',
  '--add-opens=java.base/java.lang=ALL-UNNAMED',
];

/** A command, its arguments before the path of the job, and those behind. */
export type Program = readonly [command: string, before: readonly string[], after: readonly string[]];

/** A program of ours in Java; it is told the way behind its job, where there are several. */
export const java = async (
  module: 'clients' | 'flink',
  main: string,
  way: string | undefined,
  build: BuildOptions,
): Promise<Program> => {
  const command = await javaCommand(build);
  const classPath = await javaClassPath(module, build);
  const flags = module === 'flink' ? [...JVM, ...FLINK_JVM] : JVM;
  return [command, [...flags, '-cp', classPath, `millrace.peers.${main}`], way === undefined ? [] : [way]];
};

type Peer = Exclude<ContestantName, 'millrace' | 'kafkajs'>;

const PROGRAMS: Readonly<Record<Peer, (build: BuildOptions) => Promise<Program>>> = {
  'kafka-streams': build => java('clients', 'StreamsScorer', 'per-record', build),
  'kafka-streams-batched': build => java('clients', 'StreamsScorer', 'batched', build),
  flink: build => java('flink', 'FlinkScorer', 'per-record', build),
  'flink-batched': build => java('flink', 'FlinkScorer', 'batched', build),
  'java-batch': build => java('clients', 'PlainScorer', 'generic', build),
  'java-tuned': build => java('clients', 'PlainScorer', 'tuned', build),
  'java-scores': build => java('clients', 'PlainScorer', 'scores', build),
  python: async build => [await pythonCommand(build), [join(PYTHON_SCRIPTS, 'score.py')], []],
  ceiling: () => Promise.resolve([process.execPath, [join(import.meta.dirname, '../ceiling/main.ts')], []]),
};

/** What those write that write no predictions. */
const writtenBy = async (world: BenchWorld, name: Peer): Promise<Partial<Written>> => {
  if (name === 'ceiling') return { answers: 'copies' };
  if (name === 'java-scores') return { answers: 'scores', ...(await scoresSchema(world, peerTopic(name))) };
  return {};
};

const peer = async (
  world: BenchWorld,
  name: Peer,
  delivery: Delivery,
  [command, before, after]: Program,
): Promise<Contestant> => {
  const written = await writtenBy(world, name);
  let starts = 0;
  const group = (): string => `bench.${name}.${starts}`;
  return {
    name,
    outTopic: peerTopic(name),
    written,
    nextGroup: () => {
      starts++;
      return group();
    },
    group,
    start: () => {
      const exactlyOnce = delivery === 'exactly-once';
      const asked = {
        contestant: name,
        group: group(),
        outTopic: peerTopic(name),
        exactlyOnce,
        commitMs: COMMIT_MS[delivery],
        ...written,
      };
      return launch(world, { name, command, args: [...before, writeJob(jobOf(world, asked)), ...after] });
    },
  };
};

export const CEILING_TOPIC = peerTopic('ceiling');

/** What the machine gives beside this broker. */
export const ceilingOf = async (
  world: BenchWorld,
  delivery: Delivery,
  build: BuildOptions,
): Promise<Contestant> => peer(world, 'ceiling', delivery, await PROGRAMS.ceiling(build));

const kafkajs = (world: BenchWorld, delivery: Delivery): Contestant => {
  if (delivery === 'exactly-once') throw new Error('the plain program on kafkajs has no transactions');
  return { ...plain(world, peerTopic('kafkajs')), name: 'kafkajs' };
};

export interface Lineup {
  readonly contestants: readonly Contestant[];
  /** Why the others are not there. */
  readonly left: ReadonlyMap<ContestantName, string>;
}

/** Those who are asked for, built where need be. One that cannot be built is left out, with the reason. */
export const lineUp = async (
  world: BenchWorld,
  only: readonly ContestantName[],
  { delivery, ...options }: MillraceOptions & BuildOptions & { readonly delivery: Delivery },
): Promise<Lineup> => {
  const settings = { ...MILLRACE_SETTINGS, ...options.settings };
  const contestants: Contestant[] = [];
  const left = new Map<ContestantName, string>();
  for (const name of CONTESTANTS) {
    if (!only.includes(name)) {
      left.set(name, 'not asked for');
      continue;
    }
    try {
      if (name === 'millrace')
        contestants.push({ ...millrace(world, delivery, { ...options, settings }), name });
      else if (name === 'kafkajs') contestants.push(kafkajs(world, delivery));
      else contestants.push(await peer(world, name, delivery, await PROGRAMS[name](options)));
    } catch (error) {
      left.set(name, (error as Error).message);
    }
  }
  return { contestants, left };
};
