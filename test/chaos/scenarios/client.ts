/** The product's own client alone: its producer without transactions, its reader on a compacted topic. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import * as faults from '../faults.ts';
import { judgeNumbers, type NumberLine } from '../judge/numbers.ts';
import { moveLeaders } from '../rig/leaders.ts';
import { makeTopic, startOwn } from '../rig/ownProcess.ts';
import { linesOf } from '../rig/script.ts';
import type { Scene } from '../scene.ts';
import { BOTH, ONE, repeat, type Scenario, THREE } from './scenario.ts';

const NUMBERS = 'chaos.numbers.v1';
/** As `ownProducer.ts` has it. */
const NUMBERS_PARTITIONS = 6;
/** As `ownLargeSends.ts` has it. */
const LARGE_PARTITIONS = 24;
const COMPACTED = 'chaos.compacted.v1';
const READ_S_MAX = 30;
/** What is under way when the load rests has come through by then. */
const QUIET_S = 4;

/** Numbers that a producer of ours said were acknowledged, or were not. */
interface Told {
  readonly acknowledged: Set<number>;
  readonly failed: Set<number>;
  /** Why sends failed, each reason once. */
  readonly reasons: Set<string>;
}

interface ToldLine {
  readonly acknowledged?: readonly number[];
  readonly failed?: readonly number[];
  readonly why?: string;
}

const listen = (child: ChildProcess): Told => {
  const told: Told = { acknowledged: new Set(), failed: new Set(), reasons: new Set() };
  createInterface({ input: child.stdout! }).on('line', line => {
    const { acknowledged = [], failed = [], why } = JSON.parse(line) as ToldLine;
    for (const n of acknowledged) told.acknowledged.add(n);
    for (const n of failed) told.failed.add(n);
    if (why !== undefined) told.reasons.add(why);
  });
  return told;
};

/** Compares what the brokers have with what the producer was told. */
const judgeTold = async (scene: Scene, { acknowledged, failed, reasons }: Told): Promise<void> => {
  const { python, stack } = scene.rig;
  const where = { bootstrap: stack.kafka, registry: stack.registry, topic: NUMBERS, as: 'plain' };
  const lines = await linesOf<NumberLine>(python, 'read.py', where);
  const { lost, doubled, reordered } = judgeNumbers(acknowledged, lines);
  const found = `of ${acknowledged.size} numbers acknowledged ${lost} lost, ${doubled} doubled, ${reordered} reordered`;
  scene.say(`  ${found}; ${failed.size} failed`);
  for (const reason of reasons) scene.say(`    ${reason}`);
  if (lost + doubled + reordered > 0) scene.complaints.push(found);
};

const sendNumbers = async (scene: Scene, faultsOf: (scene: Scene) => Promise<void>): Promise<void> => {
  const { rig } = scene;
  await makeTopic(rig, NUMBERS, NUMBERS_PARTITIONS);
  // The faults are meant for the one producer, and there are few of a kind: nobody else sends.
  rig.feed.resting = true;
  await scene.wait(QUIET_S);
  const child = startOwn(rig, 'ownProducer.ts', [rig.stack.kafka, NUMBERS]);
  const ended = once(child, 'close');
  const told = listen(child);
  try {
    await faultsOf(scene);
    await scene.wait(4);
  } finally {
    child.kill('SIGTERM');
    await ended;
    rig.feed.resting = false;
  }
  await judgeTold(scene, told);
  if (told.failed.size === 0) scene.complaints.push('no send failed');
};

/** Sends come through in the end, most of them. */
const leadersAndAnswers = (scene: Scene): Promise<void> =>
  repeat(4, async i => {
    const numbers = { topic: NUMBERS, partitions: NUMBERS_PARTITIONS };
    await scene.wait(4);
    if (i % 2 === 0) await faults.killBroker(scene, 4);
    else await scene.fault('new leaders for the numbers', () => moveLeaders(scene.rig, [numbers], i));
    await scene.wait(6);
    await faults.onFrames(scene, 'lose', 9, 'produce');
  });

/** Longer than the producer's patience: what it has sent is written, and it never hears of it. */
const answersLostForLong = (scene: Scene): Promise<void> =>
  repeat(5, async () => {
    await scene.wait(3);
    await faults.noAnswers(scene, 'produce', 5);
  });

const sendLarge = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  await makeTopic(rig, NUMBERS, LARGE_PARTITIONS);
  await scene.fault('a send larger than a batch may be, and than a request may be', async () => {
    const child = startOwn(rig, 'ownLargeSends.ts', [rig.stack.kafka, NUMBERS]);
    const told = listen(child);
    await once(child, 'close');
    await judgeTold(scene, told);
    const { size } = told.failed;
    if (size > 0 || told.acknowledged.size === 0) scene.complaints.push(`${size} records were refused`);
  });
};

const readCompacted = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  await makeTopic(rig, COMPACTED, 1, {
    'cleanup.policy': 'compact',
    'segment.ms': '1000',
    'min.cleanable.dirty.ratio': '0.01',
    'max.compaction.lag.ms': '1000',
    'delete.retention.ms': '1000',
    'max.message.bytes': String(4 << 20),
  });
  await scene.fault(
    'a compacted topic, with a batch that has no records left and a large one behind it',
    async () => {
      const where = { bootstrap: rig.stack.kafka, topic: COMPACTED };
      const [expected] = await linesOf<object>(rig.python, 'compacted.py', where);
      const child = startOwn(rig, 'ownReader.ts', [rig.stack.kafka, COMPACTED]);
      const output = text(child.stdout!);
      const timer = setTimeout(() => child.kill('SIGKILL'), READ_S_MAX * 1000);
      const [code] = (await once(child, 'exit')) as [number | null];
      clearTimeout(timer);
      const read = code === 0 ? (JSON.parse(await output) as object) : undefined;
      if (code === null) scene.complaints.push(`reading came to no end within ${READ_S_MAX} s`);
      else if (!isDeepStrictEqual(read, expected))
        scene.complaints.push('what was read is not what was written last');
    },
  );
};

export const CLIENT_SCENARIOS: readonly Scenario[] = [
  {
    number: 12,
    name: 'own-producer',
    injects: 'sends in flight while brokers are killed, leaders move and answers to Produce are lost',
    brokers: THREE,
    run: scene => sendNumbers(scene, leadersAndAnswers),
  },
  {
    number: 12,
    name: 'failed-sends',
    injects:
      'every answer to Produce is lost for 5 s, five times: sends fail for good, and their producer goes on',
    brokers: ONE,
    run: scene => sendNumbers(scene, answersLostForLong),
  },
  {
    number: 26,
    name: 'large-sends',
    injects: 'a send of 38 MB, while brokers take batches of 1 MiB and requests of 17 MiB',
    brokers: ONE,
    rig: { brokerSettings: { 'socket.request.max.bytes': 17 << 20 } },
    run: sendLarge,
  },
  {
    number: 29,
    name: 'compaction',
    injects:
      'aggressive compaction under two producers, one with transactions, then a read from the beginning',
    brokers: BOTH,
    run: readCompacted,
  },
];
