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

/** `server.properties` of one broker among all brokers of the cluster. Pure. */
export function brokerProperties(place: BrokerPlace, all: readonly BrokerPlace[]): string {
  const replicas = Math.min(all.length, 3);
  const inSync = replicas === 3 ? 2 : 1;
  const settings: Record<string, string | number | boolean> = {
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
  return `${Object.entries(settings)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}
