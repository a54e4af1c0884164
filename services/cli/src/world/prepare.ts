/**
 * What must be there before services start: topics, schemas, the first control revision, the published features. Each
 * step is idempotent.
 */
import type { Registry } from '@millrace/avro';
import { openCodec } from '@millrace/avro';
import {
  applySchemas, catalogue, type ControlEntry, controlKey, type ControlRecord, controlRecord, MILLRACE_TOPICS, schemaPlan, type SchemaStep,
  type Topic, topicPlan, type TopicStep, valueSubject,
} from '@millrace/contracts'; // prettier-ignore
import type { Pipeline } from '@millrace/define';
import type { Broker } from '@millrace/stream';
import type { Clock } from '@millrace/telemetry';
import { readPublished, recordOf, standings, writePublications } from '../features/published.ts';

export interface World {
  readonly broker: Broker;
  readonly registry: Registry;
  readonly clock: Clock;
}

export const planTopics = async (
  { broker }: World,
  topics: readonly Topic[],
): Promise<readonly TopicStep[]> =>
  topicPlan(topics, await broker.admin.describeTopics(topics.map(t => t.name)));

/** Creates and alters what the plan says; throws where it refuses one. */
export const applyTopics = async (
  { broker }: World,
  plan: readonly TopicStep[],
  replicationFactor = 1,
): Promise<void> => {
  const refused = plan.find(step => step.action === 'refuse');
  if (refused !== undefined) throw new Error(`topic ${refused.topic.name} is refused: ${refused.reason}`);
  await broker.admin.createTopics(
    plan
      .filter(step => step.action === 'create')
      .map(({ topic: { name, partitions, config } }) => ({ name, partitions, config, replicationFactor })),
  );
  for (const { topic } of plan.filter(step => step.action === 'alter'))
    await broker.admin.alterTopic(topic.name, topic.config);
};

/** Registers what the plan says, new versions held to BACKWARD; throws with the registry's reason where it refuses one. */
export const applySchemaPlan = async (
  { registry }: World,
  plan: readonly SchemaStep[],
): Promise<readonly SchemaStep[]> => {
  const refused = plan.find(step => step.action === 'refuse');
  if (refused !== undefined) throw new Error(`the registry refuses ${refused.subject}: ${refused.reason}`);
  await registry.setCompatibility('BACKWARD');
  return applySchemas(registry, plan);
};

/** The control entries with which a pipeline begins. */
export const firstControls = (
  pipeline: Pipeline,
  modelVersion: string,
  at: number,
): readonly ControlEntry[] => {
  const common = { pipeline: pipeline.name, at, by: 'millrace', why: 'first revision' };
  const alias = { model: pipeline.model.name, version: modelVersion };
  return [
    { ...common, revision: 1, kind: 'model-alias', name: 'champion', value: alias },
    { ...common, revision: 1, kind: 'thresholds', name: 'default', value: pipeline.thresholds },
    {
      ...common,
      revision: 1,
      kind: 'routes',
      name: 'default',
      value: { version: 1, rules: pipeline.routes },
    },
  ];
};

/** Writes control entries that are not there yet; what somebody has set stays. */
export const writeFirstControls = async (world: World, entries: readonly ControlEntry[]): Promise<number> => {
  const topic = MILLRACE_TOPICS.control;
  const schema = catalogue([]).find(t => t.name === topic)!.value!.schema;
  const codec = await openCodec<ControlRecord>(world.registry, { subject: valueSubject(topic), schema });
  const present = new Set<string>();
  for await (const run of world.broker.read({
    from: { topic, at: 'beginning' },
    until: await world.broker.admin.endOffsets(topic),
  }))
    for (let i = 0; i < run.length; i++) present.add(Buffer.from(run.key(i) ?? []).toString());
  const missing = entries.filter(entry => !present.has(controlKey(entry)));
  if (missing.length === 0) return 0;
  const producer = await world.broker.producer();
  try {
    await producer.send(
      missing.map(entry => ({
        topic,
        partition: 0,
        key: Buffer.from(controlKey(entry)),
        value: codec.encode(controlRecord(entry)),
      })),
    );
  } finally {
    await producer.close();
  }
  return missing.length;
};

/** Publishes views and sets that nobody has published yet; what is published stays. */
export const publishFirst = async (world: World, pipelines: readonly Pipeline[]): Promise<void> => {
  const fresh = standings(pipelines, await readPublished(world)).filter(({ state }) => state === 'new');
  const at = world.clock.now();
  await writePublications(
    world,
    fresh.map(({ here }) => recordOf(here, at, 'millrace', 'first version')),
  );
};

/** All of them, for the pipelines given. */
export const prepare = async (
  world: World,
  pipelines: readonly Pipeline[],
  modelVersionOf: (pipeline: Pipeline) => string,
  replicationFactor = 1,
): Promise<void> => {
  const topics = catalogue(pipelines);
  await applyTopics(world, await planTopics(world, topics), replicationFactor);
  await applySchemaPlan(world, await schemaPlan(world.registry, topics));
  await writeFirstControls(
    world,
    pipelines.flatMap(p => firstControls(p, modelVersionOf(p), world.clock.now())),
  );
  await publishFirst(world, pipelines);
};
