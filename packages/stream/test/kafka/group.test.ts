import { expect, test } from '@jest/globals';
import { turnedClock } from '@millrace/telemetry';
import { Coordinator, GROUP } from '../../src/kafka/coordinator.ts';
import { GroupClient } from '../../src/kafka/group.ts';
import type { Cluster, Node } from '../../src/kafka/internals.ts';

const refusal = (type: string): Error => Object.assign(new Error(type), { type, retriable: true });

/** A cluster of two nodes, whose leadership moves; a client knows what it was at the last look. */
const movingCluster = () => {
  const truth = { leader: 1, coordinator: 1 };
  const nodes = new Set([1, 2]);
  const asked: string[] = [];
  let knownLeader = truth.leader;
  const note = (what: string): void => void asked.push(what);
  const nodeOf = (nodeId: number) =>
    ({
      nodeId,
      joinGroup: async () => {
        note('join');
        const memberMetadata = Buffer.alloc(0);
        return { generationId: 1, leaderId: 'other', memberId: 'm', members: [{ memberMetadata }] };
      },
      syncGroup: async () => ({ memberAssignment: ASSIGNMENT }),
      connectionPool: {
        send: async () => {
          note('committed');
          return [];
        },
      },
      listOffsets: async () => {
        note(`first offsets of ${nodeId}`);
        if (nodeId !== truth.leader) throw refusal('NOT_LEADER_FOR_PARTITION');
        return { responses: [{ topic: 't', partitions: [{ partition: 0, offset: '7' }] }] };
      },
      heartbeat: async () => {
        if (nodeId !== truth.coordinator) throw refusal('NOT_COORDINATOR_FOR_GROUP');
        note(`heartbeat to ${nodeId}`);
      },
    }) as unknown as Node;
  const findBroker = async ({ nodeId }: { nodeId: number | string }): Promise<Node> => {
    if (!nodes.has(Number(nodeId)))
      throw Object.assign(new Error(`Broker ${nodeId} not found`), { name: 'KafkaJSBrokerNotFound' });
    return nodeOf(Number(nodeId));
  };
  const cluster = {
    connect: async () => undefined,
    refreshMetadataIfNecessary: async () => undefined,
    refreshMetadata: async () => {
      knownLeader = truth.leader;
    },
    findBroker,
    findGroupCoordinator: () => findBroker({ nodeId: truth.coordinator }),
    findControllerBroker: () => findBroker({ nodeId: truth.coordinator }),
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader: knownLeader }],
  } as unknown as Cluster;
  return { cluster, truth, nodes, asked };
};

/** Version 0; one topic `t` with partition 0; no user data. */
const ASSIGNMENT = Buffer.from([0, 0, 0, 0, 0, 1, 0, 1, 0x74, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);

test('a partition without a committed offset is found also where its leader has moved, without joining again', async () => {
  const { cluster, truth, asked } = movingCluster();
  const clock = turnedClock();
  const settings = { group: 'g', topics: ['t'], sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 30_000, clock };
  const client = new GroupClient(settings, cluster, cluster);
  await client.join();
  truth.leader = 2;
  const positions = client.positions();
  await clock.turn(100);
  expect(await positions).toEqual([{ topic: 't', partition: 0, offset: 7 }]);
  expect(asked).toEqual(['join', 'committed', 'first offsets of 1', 'committed', 'first offsets of 2']);
});

test('a coordinator that is no node of the cluster any more is looked up again', async () => {
  const { cluster, truth, nodes, asked } = movingCluster();
  const coordinator = new Coordinator(cluster, 'g', GROUP);
  const beat = () =>
    coordinator.ask(node => node.heartbeat({ groupId: 'g', groupGenerationId: 1, memberId: 'm' }));
  await beat();
  nodes.delete(1);
  truth.coordinator = 2;
  await expect(beat()).rejects.toThrow('Broker 1 not found');
  await beat();
  expect(asked).toEqual(['heartbeat to 1', 'heartbeat to 2']);
});
