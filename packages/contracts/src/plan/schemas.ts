import type { Registry } from '@millrace/avro';
import type { Topic } from '../catalogue.ts';

/** What would be done for one subject. */
export interface SchemaStep {
  readonly topic: string;
  readonly subject: string;
  readonly schema: string;
  /** `none`: registered already; `refuse`: the registry would not take it. */
  readonly action: 'none' | 'register' | 'refuse';
  /** Id that is registered; undefined where there is none yet. */
  readonly id: number | undefined;
  /** The registry's words; for `refuse` only. */
  readonly reason: string | undefined;
}

const step = async (
  registry: Registry,
  topic: string,
  value: NonNullable<Topic['value']>,
): Promise<SchemaStep> => {
  const { subject, schema } = value;
  const common = { topic, subject, schema };
  const id = await registry.idOf(subject, schema);
  if (id !== undefined) return { ...common, action: 'none', id, reason: undefined };
  const reason = await registry.whyIncompatible(subject, schema);
  const action = reason === undefined ? 'register' : 'refuse';
  return { ...common, action, id: undefined, reason };
};

/** What `applySchemas` would do, in order; changes nothing. @throws RegistryUnavailable */
export const schemaPlan = async (
  registry: Registry,
  topics: readonly Topic[],
): Promise<readonly SchemaStep[]> => {
  const steps: SchemaStep[] = [];
  for (const { name, value } of topics)
    if (value !== undefined)
      for (const schema of new Set([...(value.written ?? []), value.schema]))
        steps.push(await step(registry, name, { ...value, schema }));
  return steps;
};

/**
 * Registers what the plan wants registered, one after the other (registries answer first registrations in parallel with
 * errors), and returns the plan with the ids. Nothing is registered when a step is refused.
 * @throws IncompatibleSchema when a subject changed since the plan. @throws RegistryUnavailable
 */
export const applySchemas = async (
  registry: Registry,
  plan: readonly SchemaStep[],
): Promise<readonly SchemaStep[]> => {
  if (plan.some(({ action }) => action === 'refuse')) return plan;
  const applied: SchemaStep[] = [];
  for (const one of plan)
    applied.push(
      one.action === 'register' ? { ...one, id: await registry.register(one.subject, one.schema) } : one,
    );
  return applied;
};
