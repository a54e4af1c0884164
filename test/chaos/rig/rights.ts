/** Rights on a topic or a group, given and taken with Kafka's own tool. Everybody in a run is the same user. */
import type { Rig } from './rig.ts';
import { kafkaTool } from './tools.ts';

export type Right = { readonly operation: 'Read' | 'Write' } & (
  { readonly topic: string; readonly group?: never } | { readonly group: string; readonly topic?: never }
);

type On = Pick<Rig, 'stack' | 'options'>;

const USER = 'User:ANONYMOUS';

const change = async (on: On, { topic, group }: Right, words: readonly string[]): Promise<void> => {
  const resource = topic === undefined ? ['--group', group!] : ['--topic', topic];
  const args = ['--bootstrap-server', on.stack.kafka, ...words, ...resource];
  await kafkaTool('org.apache.kafka.tools.AclCommand', args, on.options.signal);
};

/** Gives every right on it: an open broker closes what has an entry of its own, and a denial is one. */
export const allow = (on: On, right: Right): Promise<void> =>
  change(on, right, ['--add', '--allow-principal', USER, '--operation', 'All']);

export const deny = (on: On, right: Right): Promise<void> =>
  change(on, right, ['--add', '--deny-principal', USER, '--operation', right.operation]);

/** Takes a denial back. */
export const permit = (on: On, right: Right): Promise<void> =>
  change(on, right, ['--remove', '--force', '--deny-principal', USER, '--operation', right.operation]);
