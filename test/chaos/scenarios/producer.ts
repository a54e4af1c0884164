/** The producer of the product alone, in the mode of delivery that has no transactions. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openWorld } from '@millrace/cli';
import * as faults from '../faults.ts';
import { judgeNumbers, type NumberLine } from '../judge/numbers.ts';
import { linesOf } from '../rig/script.ts';
import type { Scene } from '../scene.ts';
import { repeat, type Scenario, THREE } from './scenario.ts';

const TOPIC = 'chaos.numbers.v1';
const SCRIPT = join(import.meta.dirname, '../rig/ownProducer.ts');
const REGISTER = join(import.meta.dirname, '../../mutants/register.ts');

const makeTopic = async ({ rig }: Scene): Promise<void> => {
  const { broker } = openWorld(rig.stack);
  try {
    await broker.admin.createTopics([
      { name: TOPIC, partitions: 6, config: {}, replicationFactor: rig.brokers.length },
    ]);
  } finally {
    await broker.close();
  }
};

const run = async (scene: Scene): Promise<void> => {
  const { mutants } = scene.rig.options;
  await makeTopic(scene);
  const { kafka } = scene.rig.stack;
  const planted = mutants.length > 0 ? ['--import', REGISTER] : [];
  const child = spawn(process.execPath, [...planted, SCRIPT, kafka, TOPIC], {
    env: { ...process.env, MILLRACE_MUTANT: mutants.join(',') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const acknowledged = new Set<number>();
  let failed = 0;
  createInterface({ input: child.stdout }).on('line', line => {
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
  const where = { bootstrap: kafka, registry: scene.rig.stack.registry, topic: TOPIC, as: 'plain' };
  const lines = await linesOf<NumberLine>(scene.rig.python, 'read.py', where);
  const { lost, doubled, reordered } = judgeNumbers(acknowledged, lines);
  scene.say(
    `  ${acknowledged.size} acknowledged, ${failed} failed, ${lost} lost, ${doubled} doubled, ${reordered} reordered`,
  );
  if (failed === 0) scene.complaints.push('no send failed');
  if (lost + doubled + reordered > 0)
    scene.complaints.push(
      `of ${acknowledged.size} acknowledged numbers ${lost} lost, ${doubled} doubled, ${reordered} reordered`,
    );
};

export const PRODUCER_SCENARIOS: readonly Scenario[] = [
  {
    number: 12,
    name: 'own-producer',
    injects: 'sends in flight while brokers are killed, leaders move and answers to Produce are lost',
    brokers: THREE,
    run,
  },
];
