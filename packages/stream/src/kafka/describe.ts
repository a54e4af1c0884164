import type { Clock } from '@millrace/telemetry';
import type { TopicDescription } from '../broker/port.ts';
import { typeOf } from './errors.ts';
import { type Cluster, kafkajs } from './internals.ts';
import { askMetadata, type TopicMetadata } from './requests.ts';
import { retrying } from './retry.ts';

const DYNAMIC_TOPIC_CONFIG = 1;
/** For how long a topic may be in the metadata and have no settings. */
const DELETION_MS_MAX = 5_000;

/** What the metadata has of them: one that is not there is left out. @param names all but internal ones without it */
export const existing = async (
  cluster: Cluster,
  names?: readonly string[],
): Promise<readonly TopicMetadata[]> => {
  if (names?.length === 0) return [];
  const { topics } = await askMetadata(cluster, names);
  return topics.filter(({ errorCode, internal }) => errorCode === 0 && (names !== undefined || !internal));
};

/** The topics that are there, with their own settings. One that is deleted between our two questions is asked for again. */
export const describeTopics = (
  cluster: Cluster,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
  names?: readonly string[],
): Promise<readonly TopicDescription[]> =>
  retrying(() => describe(cluster, names), {
    clock,
    ...(signal && { signal }),
    again: error => typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION',
    forMs: DELETION_MS_MAX,
  });

const describe = async (
  cluster: Cluster,
  names?: readonly string[],
): Promise<readonly TopicDescription[]> => {
  const topics = await existing(cluster, names);
  if (topics.length === 0) return [];
  const controller = await cluster.findControllerBroker();
  const { resources } = await controller.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: [],
    })),
  });
  return topics.map(({ name, id, partitions }) => {
    const entries = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? [];
    const own = entries.filter(({ configSource }) => configSource === DYNAMIC_TOPIC_CONFIG);
    return { name, id, partitions, config: Object.fromEntries(own.map(e => [e.configName, e.configValue])) };
  });
};
