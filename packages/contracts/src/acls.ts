import { everySet, type Pipeline } from '@millrace/define';
import type { ServiceName, Topic } from './catalogue.ts';
import { NIGHT_GROUP, REPLAY_GROUP } from './runs.ts';
import { consumerGroup, REDRIVE_GROUP, transactionalIdPrefix } from './topics.ts';

/** Kafka's own words, as `kafka-acls` takes them. Read and Write include Describe. */
export type AclOperation = 'Read' | 'Write' | 'Describe' | 'Create' | 'DescribeConfigs' | 'AlterConfigs';
export type AclResource = 'topic' | 'group' | 'transactional-id';

/** What one service may do with one resource. */
export interface Acl {
  readonly service: ServiceName;
  readonly resource: AclResource;
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
  readonly operations: readonly AclOperation[];
}

/** Services that are members of a group, one for each pipeline. */
const MEMBERS = ['feature', 'inference', 'sink'] as const;
/** Who creates topics, and looks into all of them: a person, or the job that prepares a deployment. */
const OPERATOR: ServiceName = 'cli';

const operationsOn = (service: ServiceName, topic: Topic): readonly AclOperation[] => {
  const { writers, readers, pipeline } = topic;
  const [reads, writes] = [readers.includes(service), writers.includes(service)];
  if (service === OPERATOR)
    return ['Read', ...(writes ? (['Write'] as const) : []), 'Create', 'DescribeConfigs', 'AlterConfigs'];
  if (!reads && !writes) return [];
  return [
    ...(reads ? (['Read'] as const) : []),
    ...(writes ? (['Write'] as const) : []),
    // Services look at the topics of their pipelines when they start; those of the house are only read.
    ...(service !== 'producers' && pipeline !== undefined ? (['DescribeConfigs'] as const) : []),
  ];
};

const transactions = (service: ServiceName, group: string): Acl => ({
  service,
  resource: 'transactional-id',
  name: transactionalIdPrefix(group),
  pattern: 'prefixed',
  operations: ['Write', 'Describe'],
});

const groupAcls = (service: (typeof MEMBERS)[number], pipeline: Pipeline): readonly Acl[] => {
  const group = consumerGroup(service, pipeline);
  const isTransactional =
    service === 'feature' || (service === 'inference' && pipeline.delivery.inference === 'exactly_once');
  return [
    { service, resource: 'group', name: group, pattern: 'literal', operations: ['Read'] },
    ...(isTransactional ? [transactions(service, group)] : []),
  ];
};

/**
 * Letters are sent again in transactions; a night and a replay are each a group of their own. Others are looked at: how far
 * a version of a set is built, how far the stream is behind, and whether anybody is there who would score a replay.
 */
const operatorAcls = (pipelines: readonly Pipeline[]): readonly Acl[] => {
  const group = { service: OPERATOR, resource: 'group' } as const;
  return [
    transactions(OPERATOR, REDRIVE_GROUP),
    ...[NIGHT_GROUP, REPLAY_GROUP].flatMap((runs): readonly Acl[] => [
      { ...group, name: `${runs}.`, pattern: 'prefixed', operations: ['Read'] },
      transactions(OPERATOR, runs),
    ]),
    ...[
      ...pipelines.flatMap(everySet).map(set => consumerGroup('feature', set)),
      ...pipelines.map(pipeline => consumerGroup('inference', pipeline)),
    ].map((name): Acl => ({ ...group, name, pattern: 'literal', operations: ['Describe'] })),
  ];
};

/**
 * The rights that services need, derived from who writes and who reads each topic, and no more: none over the cluster,
 * none on groups and transactional ids of others. From Kafka 3.0 on an idempotent producer needs nothing beside Write.
 */
export const aclsOf = (pipelines: readonly Pipeline[], topics: readonly Topic[]): readonly Acl[] => {
  const services: readonly ServiceName[] = ['producers', 'ingest', ...MEMBERS, OPERATOR];
  return services.flatMap(service => [
    ...topics.flatMap((topic): readonly Acl[] => {
      const operations = operationsOn(service, topic);
      const on = { service, resource: 'topic', name: topic.name, pattern: 'literal' } as const;
      return operations.length > 0 ? [{ ...on, operations }] : [];
    }),
    ...MEMBERS.filter(member => member === service).flatMap(member =>
      pipelines.flatMap(pipeline =>
        // Versions of a set are computed by groups of their own; whatever scores or stores is one.
        (member === 'feature' ? everySet(pipeline) : [pipeline]).flatMap(set => groupAcls(member, set)),
      ),
    ),
    ...(service === OPERATOR ? operatorAcls(pipelines) : []),
  ]);
};
