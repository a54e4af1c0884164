import { BrokerError, type Producer } from '../broker/port.ts';
import { batchesOf } from './batches.ts';
import {
  abandonCluster,
  clusterOf,
  type KafkaOptions,
  RETRY_MS_MAX,
  TRANSACTION_TIMEOUT_MS,
} from './connect.ts';
import { isPassing, portError } from './errors.ts';
import type { Cluster } from './internals.ts';
import { retrying } from './retry.ts';
import { learn, PartitionLanes, type Sender, sendRounds } from './send.ts';

/** A producer id of Kafka's, for one sender: a failed send ends it, the next one takes another. */
const newSender = async (
  cluster: Cluster,
  { clock, retryMsMax = RETRY_MS_MAX }: KafkaOptions,
): Promise<Sender> => {
  const init = async () => {
    await cluster.connect();
    await cluster.refreshMetadataIfNecessary();
    const node = await cluster.findControllerBroker();
    return node.initProducerId({ transactionTimeout: TRANSACTION_TIMEOUT_MS });
  };
  const { producerId, producerEpoch } = await retrying(init, { clock, again: isPassing, forMs: retryMsMax });
  return { producerId, producerEpoch, sequences: new Map() };
};

export const idempotentProducer = async (options: KafkaOptions): Promise<Producer> => {
  const cluster = clusterOf(options);
  const lanes = new PartitionLanes();
  const open = new Set<Promise<void>>();
  let sender: Promise<Sender> | undefined = newSender(cluster, options);
  let closed = false;

  const send: Producer['send'] = async records => {
    if (closed) throw new BrokerError('send: the producer is closed', { retriable: false });
    if (records.length === 0) return;
    const partitions = batchesOf(records);
    // The lanes are taken before the first wait, so that sends keep the order in which they were called.
    const learnt = learn(cluster, [...new Set(partitions.map(({ topic }) => topic))], options);
    await lanes.run(partitions, async () => {
      await learnt;
      const current = (sender ??= newSender(cluster, options));
      try {
        await sendRounds(cluster, await current, partitions, options, true);
      } catch (error) {
        if (sender === current) sender = undefined;
        throw error;
      }
    });
  };

  try {
    await sender;
  } catch (error) {
    abandonCluster(cluster);
    throw portError('producer', error);
  }
  return {
    send: records => {
      const sending = send(records)
        .catch((error: unknown) => {
          throw portError('send', error);
        })
        .finally(() => open.delete(sending));
      open.add(sending);
      return sending;
    },
    close: async () => {
      closed = true;
      await Promise.allSettled(open);
      abandonCluster(cluster);
    },
  };
};
