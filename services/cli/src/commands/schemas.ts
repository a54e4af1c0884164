import { catalogue, schemaPlan } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { EXIT, type ExitCode, type Io, type OutputForm, table } from '../io.ts';
import { applySchemaPlan, applyTopics, planTopics, type World } from '../world/prepare.ts';

export interface PlanOptions {
  readonly execute: boolean;
  readonly output: OutputForm;
}

const hint = (io: Io, options: PlanOptions, changes: number): void => {
  if (changes > 0 && !options.execute)
    io.say(`${changes} to change; nothing was done. Add --execute to do it.`);
  else io.say(changes > 0 ? `${changes} changed.` : 'Nothing to change.');
};

/** `millrace schemas register`: plan by default. A refusal is shown with the registry's reason, exit code 1. */
export const registerSchemas = async (
  io: Io,
  world: World,
  pipelines: readonly Pipeline[],
  options: PlanOptions,
): Promise<ExitCode> => {
  let plan = await schemaPlan(world.registry, catalogue(pipelines));
  const refused = plan.filter(step => step.action === 'refuse');
  const changes = plan.filter(step => step.action === 'register').length;
  if (options.execute && refused.length === 0) plan = await applySchemaPlan(world, plan);
  const rows = plan.map(({ subject, action, id, reason }) => ({
    subject,
    action,
    id: id ?? null,
    reason: reason ?? null,
  }));
  if (options.output === 'json') io.out(JSON.stringify(rows));
  else
    for (const line of table(
      ['SUBJECT', 'ACTION', 'ID'],
      rows.map(r => [r.subject, r.action, r.id ?? '-']),
    ))
      io.out(line);
  for (const step of refused) io.say(`refused: ${step.subject}: ${step.reason}`);
  if (refused.length > 0) return EXIT.failed;
  hint(io, options, changes);
  return EXIT.done;
};

/** `millrace topics apply`: plan by default. */
export const applyTopicPlan = async (
  io: Io,
  world: World,
  pipelines: readonly Pipeline[],
  options: PlanOptions,
): Promise<ExitCode> => {
  const plan = await planTopics(world, catalogue(pipelines));
  const refused = plan.filter(step => step.action === 'refuse');
  if (options.execute && refused.length === 0) await applyTopics(world, plan);
  const rows = plan.map(({ topic, action, changes, reason }) => ({
    topic: topic.name,
    partitions: topic.partitions,
    action,
    changes: changes.map(c => `${c.name}: ${c.from ?? 'default'} -> ${c.to}`),
    reason: reason ?? null,
  }));
  if (options.output === 'json') io.out(JSON.stringify(rows));
  else
    for (const line of table(
      ['TOPIC', 'PARTITIONS', 'ACTION', 'CHANGES'],
      rows.map(r => [r.topic, r.partitions, r.action, r.changes.join('; ')]),
    ))
      io.out(line);
  for (const step of refused) io.say(`refused: ${step.topic.name}: ${step.reason}`);
  if (refused.length > 0) return EXIT.failed;
  hint(io, options, plan.filter(step => step.action !== 'none').length);
  return EXIT.done;
};
