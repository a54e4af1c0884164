/** One broker of the local cluster; it is controller and broker in one. */
export interface BrokerPlace {
  readonly nodeId: number;
  readonly port: number;
  readonly controllerPort: number;
  readonly dataDirectory: string;
  /** Where clients are told to come, when that is not the broker's own port; brokers then talk on a port of their own. */
  readonly front?: { readonly port: number; readonly internalPort: number };
}

export type BrokerSettings = Readonly<Record<string, string | number | boolean>>;

/** Any fixed value in the form of a Kafka cluster id: 16 bytes in URL-safe base64. */
export const CLUSTER_ID = 'bWlsbHJhY2UtbG9jYWwtMQ';

const HOST = '127.0.0.1';

/** Settings of one broker among all brokers of the cluster, by Kafka's own names. */
export function brokerSettings(place: BrokerPlace, all: readonly BrokerPlace[]): BrokerSettings {
  const replicas = Math.min(all.length, 3);
  const inSync = replicas === 3 ? 2 : 1;
  return {
    'process.roles': 'broker,controller',
    'node.id': place.nodeId,
    'controller.quorum.voters': all.map(b => `${b.nodeId}@${HOST}:${b.controllerPort}`).join(','),
    ...listenerSettings(place),
    'controller.listener.names': 'CONTROLLER',
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

function listenerSettings({ port, controllerPort, front }: BrokerPlace): BrokerSettings {
  const own = `PLAINTEXT://${HOST}:${port}`;
  const controller = `CONTROLLER://${HOST}:${controllerPort}`;
  if (front === undefined)
    return {
      listeners: `${own},${controller}`,
      'advertised.listeners': own,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    };
  const internal = `INTERNAL://${HOST}:${front.internalPort}`;
  return {
    listeners: `${own},${internal},${controller}`,
    'advertised.listeners': `PLAINTEXT://${HOST}:${front.port},${internal}`,
    'inter.broker.listener.name': 'INTERNAL',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
  };
}

/** The text of `server.properties`; `more` are settings of the caller's, which win. */
export function brokerProperties(
  place: BrokerPlace,
  all: readonly BrokerPlace[],
  more: BrokerSettings = {},
): string {
  const lines = Object.entries({ ...brokerSettings(place, all), ...more }).map(
    ([name, value]) => `${name}=${value}`,
  );
  return `${lines.join('\n')}\n`;
}
