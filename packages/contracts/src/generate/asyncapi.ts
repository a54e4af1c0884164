import type { Topic, TopicKind } from '../catalogue.ts';

export interface AsyncApiOptions {
  /** Version of what is described. */
  readonly version: string;
  /** Where it runs, when the document is about one deployment. */
  readonly server?: { readonly kafka: string; readonly registryUrl: string };
}

const BINDING = { bindingVersion: '0.5.0' } as const;
const AVRO = 'application/vnd.apache.avro;version=1.9.0';

/** What others may take part in, seen from us: events come in, the rest goes out. */
const ACTIONS: Readonly<Partial<Record<TopicKind, 'receive' | 'send'>>> = {
  events: 'receive',
  features: 'send',
  predictions: 'send',
  pushes: 'send',
};

/** Names inside the document; channels are told apart by it, addresses are the topics' own names. */
const idOf = (topic: Topic): string => topic.name.replaceAll('.', '_');

const docOf = ({ value }: Topic): string => (JSON.parse(value!.schema) as { doc?: string }).doc ?? '';

const message = (topic: Topic): object => ({
  name: topic.value!.subject,
  summary: docOf(topic),
  contentType: 'application/vnd.apache.avro',
  payload: { schemaFormat: AVRO, schema: JSON.parse(topic.value!.schema) as unknown },
  bindings: {
    kafka: {
      key: { type: 'string', description: `${topic.key}, in UTF-8` },
      schemaIdLocation: 'payload',
      schemaIdPayloadEncoding: 'confluent',
      ...BINDING,
    },
  },
});

const channel = (topic: Topic): object => {
  const { 'cleanup.policy': policy, 'retention.ms': retentionMs } = topic.config;
  return {
    address: topic.name,
    description: `Written by ${topic.writers.join(', ')}. Read it with isolation.level=read_committed.`,
    messages: { value: { $ref: `#/components/messages/${idOf(topic)}` } },
    bindings: {
      kafka: {
        topic: topic.name,
        partitions: topic.partitions,
        topicConfiguration: {
          'cleanup.policy': [policy],
          ...(retentionMs === undefined ? {} : { 'retention.ms': Number(retentionMs) }),
        },
        ...BINDING,
      },
    },
  };
};

const operation = (topic: Topic): object => ({
  action: ACTIONS[topic.kind],
  channel: { $ref: `#/channels/${idOf(topic)}` },
  messages: [{ $ref: `#/channels/${idOf(topic)}/messages/value` }],
});

const serversOf = (server: AsyncApiOptions['server']): object =>
  server === undefined
    ? {}
    : {
        servers: {
          kafka: {
            host: server.kafka,
            protocol: 'kafka',
            bindings: {
              kafka: { schemaRegistryUrl: server.registryUrl, schemaRegistryVendor: 'confluent', ...BINDING },
            },
          },
        },
      };

/**
 * AsyncAPI 3.0 document of the topics that others may write or read: events, feature vectors, predictions and what is pushed beside them. Internal
 * topics and those of the house are left out.
 */
export const asyncApi = (topics: readonly Topic[], { version, server }: AsyncApiOptions): object => {
  const open = topics.filter(({ kind, value }) => ACTIONS[kind] !== undefined && value !== undefined);
  const each = (make: (topic: Topic) => object): object =>
    Object.fromEntries(open.map(topic => [idOf(topic), make(topic)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Millrace',
      version,
      description:
        'Topics that other systems may take part in. Values are Avro in the Confluent frame, keys are UTF-8 entity ids placed by the murmur2 partitioner.',
    },
    ...serversOf(server),
    channels: each(channel),
    operations: each(operation),
    components: { messages: each(message) },
  };
};
