/** A process that uses the product's own client, with the protections of this run taken out of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { openWorld } from '@millrace/cli';
import type { Rig } from './rig.ts';

const REGISTER = join(import.meta.dirname, '../../mutants/register.ts');

/** @param script beside this file; it is given the address of the brokers and the topic */
export const startOwn = ({ options, stack }: Rig, script: string, topic: string): ChildProcess => {
  const { mutants } = options;
  const planted = mutants.length > 0 ? ['--import', REGISTER] : [];
  return spawn(process.execPath, [...planted, join(import.meta.dirname, script), stack.kafka, topic], {
    env: { ...process.env, MILLRACE_MUTANT: mutants.join(',') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
};

export const makeTopic = async (
  { stack, brokers }: Rig,
  name: string,
  partitions: number,
  config: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const { broker } = openWorld(stack);
  try {
    await broker.admin.createTopics([{ name, partitions, config, replicationFactor: brokers.length }]);
  } finally {
    await broker.close();
  }
};
