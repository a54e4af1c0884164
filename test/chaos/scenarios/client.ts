/** The product's own client alone: its producer without transactions, its reader on a compacted topic. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import * as faults from '../faults.ts';
import { judgeNumbers, type NumberLine } from '../judge/numbers.ts';
import { makeTopic, startOwn } from '../rig/ownProcess.ts';
import { linesOf } from '../rig/script.ts';
import type { Scene } from '../scene.ts';
import { ONE, repeat, type Scenario, THREE } from './scenario.ts';

const NUMBERS = 'chaos.numbers.v1';
const COMPACTED = 'chaos.compacted.v1';
const READ_S_MAX = 30;

const sendNumbers = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  await makeTopic(rig, NUMBERS, 6);
  const child = startOwn(rig, 'ownProducer.ts', NUMBERS);
  const ended = once(child, 'exit');
  const acknowledged = new Set<number>();
  let failed = 0;
  createInterface({ input: child.stdout! }).on('line', line => {
    const told = JSON.parse(line) as { acknowledged?: number[]; failed?: number[] };
    for (const n of told.acknowledged ?? []) acknowledged.add(n);
    failed += told.failed?.length ?? 0;
  });
  try {
    await repeat(4, async i => {
      await scene.wait(4);
      if (i % 2 === 0) await faults.killBroker(scene, 4);
      else await faults.newLeaders(scene, 'data', i);
      await scene.wait(6);
      await faults.onFrames(scene, 'lose', 9, 'produce');
    });
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
  const { kafka: bootstrap, registry } = rig.stack;
  const where = { bootstrap, registry, topic: NUMBERS, as: 'plain' };
  const lines = await linesOf<NumberLine>(rig.python, 'read.py', where);
  const { lost, doubled, reordered } = judgeNumbers(acknowledged, lines);
  const found = `of ${acknowledged.size} numbers acknowledged ${lost} lost, ${doubled} doubled, ${reordered} reordered`;
  scene.say(`  ${found}; ${failed} failed`);
  if (failed === 0) scene.complaints.push('no send failed');
  if (lost + doubled + reordered > 0) scene.complaints.push(found);
};

const readCompacted = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  await makeTopic(rig, COMPACTED, 1, {
    'cleanup.policy': 'compact',
    'segment.ms': '1000',
    'min.cleanable.dirty.ratio': '0.01',
    'max.compaction.lag.ms': '1000',
    'delete.retention.ms': '1000',
  });
  await scene.fault('a compacted topic, with a batch that has no records left', async () => {
    const where = { bootstrap: rig.stack.kafka, topic: COMPACTED };
    const [expected] = await linesOf<object>(rig.python, 'compacted.py', where);
    const child = startOwn(rig, 'ownReader.ts', COMPACTED);
    const output = text(child.stdout!);
    const timer = setTimeout(() => child.kill('SIGKILL'), READ_S_MAX * 1000);
    const [code] = (await once(child, 'exit')) as [number | null];
    clearTimeout(timer);
    const read = code === 0 ? (JSON.parse(await output) as object) : undefined;
    if (code === null) scene.complaints.push(`reading came to no end within ${READ_S_MAX} s`);
    else if (!isDeepStrictEqual(read, expected))
      scene.complaints.push('what was read is not what was written last');
  });
};

export const CLIENT_SCENARIOS: readonly Scenario[] = [
  {
    number: 12,
    name: 'own-producer',
    injects: 'sends in flight while brokers are killed, leaders move and answers to Produce are lost',
    brokers: THREE,
    run: sendNumbers,
  },
  {
    number: 29,
    name: 'compaction',
    injects:
      'aggressive compaction under two producers, one with transactions, then a read from the beginning',
    brokers: ONE,
    run: readCompacted,
  },
];
