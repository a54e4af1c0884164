/** One broker of the local cluster; it is controller and broker in one. */
export interface BrokerPlace {
  readonly nodeId: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly dataDirectory: string;
}

/** Any fixed value in the form of a Kafka cluster id: 16 bytes in URL-safe base64. */
export const CLUSTER_ID = 'bWlsbHJhY2UtbG9jYWwtMQ';

const HOST = '127.0.0.1';

/** Settings of one broker among all brokers of the cluster, by Kafka's own names. */
export function brokerSettings(
  place: BrokerPlace,
  all: readonly BrokerPlace[],
): Readonly<Record<string, string | number | boolean>> {
  const replicas = Math.min(all.length, 3);
  const inSync = replicas === 3 ? 2 : 1;
  return {
    'process.roles': 'broker,controller',
    'node.id': place.nodeId,
    'controller.quorum.voters': all.map(b => `${b.nodeId}@${HOST}:${b.controllerPort}`).join(','),
    listeners: `PLAINTEXT://${HOST}:${place.port},CONTROLLER://${HOST}:${place.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${HOST}:${place.port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': place.dataDirectory,
    // A mistyped topic name is an error, never a new topic.
    'auto.create.topics.enable': false,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.num.partitions': 10,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': 10,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    // Tests join groups and let sessions and transactions run out: they should not wait for it longer than needed.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    'log.cleaner.backoff.ms': 500,
    'log.segment.delete.delay.ms': 1000,
    // A laptop's share: the cleaner's buffer alone would take a third of the heap.
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 4,
  };
}

/** The text of `server.properties`. */
export function brokerProperties(place: BrokerPlace, all: readonly BrokerPlace[]): string {
  const lines = Object.entries(brokerSettings(place, all)).map(([name, value]) => `${name}=${value}`);
  return `${lines.join('\n')}\n`;
}
