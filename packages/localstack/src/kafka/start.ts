import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists, preparedOnce } from '../cache/folder.ts';
import { mustRun } from '../children/command.ts';
import { type Child, startGuarded } from '../children/guard.ts';
import { freePorts } from '../children/ports.ts';
import { logSays, untilReady } from '../children/ready.ts';
import { type JavaStart, javaFlags, keepingArchive } from '../java/flags.ts';
import { brokerProperties, type BrokerPlace, type BrokerSettings, CLUSTER_ID } from './properties.ts';

export interface KafkaOptions extends JavaStart {
  readonly jars: string;
  /** Data of an earlier run in it is used again. */
  readonly dataDirectory: string;
  readonly logDirectory: string;
  readonly brokers: 1 | 3;
  /** Given the port of a broker that is to be started, says where clients are told to come instead. */
  readonly front?: (port: number) => Promise<number>;
  /** Settings beside ours, by Kafka's own names. */
  readonly brokerSettings?: BrokerSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly token: string;
}

export interface KafkaCluster {
  /** `host:port,…`, one per broker. */
  readonly bootstrap: string;
  readonly children: readonly Child[];
  /** Starts a broker that has ended, by its child's name, on its data and ports. */
  revive(name: string): Promise<Child>;
}

const HEAP = ['-Xms64m', '-Xmx384m'];
const START_TIMEOUT_MS = 90_000;
const FORMAT_TIMEOUT_MS = 60_000;
/** Brokers of a cluster wait for a quorum that is going away too: no reason to be patient. */
const STOP_GRACE_S = 3;
/** The virtual machine writes its class-data archive on the way out. */
const ARCHIVE_GRACE_S = 40;
const LOGGING = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
];
const READY_LINE = 'Kafka Server started';

/** Starts one broker, or three; resolves when all of them serve clients. */
export async function startKafka(options: KafkaOptions): Promise<KafkaCluster> {
  const places = await brokerPlaces(options);
  const classPath = await sortedClassPath(options.jars);
  for (const place of places) await provideData(place, places, classPath, options);
  const started = await Promise.allSettled(
    places.map(place => startBroker(place, places, classPath, options)),
  );
  const children = started.filter(result => result.status === 'fulfilled').map(result => result.value);
  const failure = started.find(result => result.status === 'rejected');
  if (failure) {
    await Promise.all(children.map(child => child.stop()));
    throw failure.reason;
  }
  return {
    bootstrap: places.map(({ front, port }) => `127.0.0.1:${front?.port ?? port}`).join(','),
    children,
    revive: name => {
      const place = places.find(one => nameOf(one) === name);
      if (place === undefined)
        throw new Error(`no broker ${name}: there are ${places.map(nameOf).join(', ')}`);
      return startBroker(place, places, classPath, { ...options, writeArchive: false });
    },
  };
}

const nameOf = ({ nodeId }: BrokerPlace): string => `kafka-${nodeId}`;

async function brokerPlaces(options: KafkaOptions): Promise<BrokerPlace[]> {
  const ports = await freePorts(options.brokers * 3);
  return Promise.all(
    Array.from({ length: options.brokers }, async (_, i) => {
      const [port, controllerPort, internalPort] = ports.slice(3 * i) as [number, number, number];
      const front = await options.front?.(port);
      return {
        nodeId: i + 1,
        port,
        controllerPort,
        dataDirectory: join(options.dataDirectory, `broker-${i + 1}`),
        ...(front === undefined ? {} : { front: { port: front, internalPort } }),
      };
    }),
  );
}

/** The same order each time: a class-data archive is valid for exactly one class path. */
async function sortedClassPath(folder: string): Promise<string> {
  const jars = (await readdir(folder)).filter(name => name.endsWith('.jar')).sort();
  return jars.map(name => join(folder, name)).join(':');
}

/** Formatting takes a Java start, so it is done once per node id and then copied. */
async function provideData(
  place: BrokerPlace,
  all: readonly BrokerPlace[],
  classPath: string,
  options: KafkaOptions,
): Promise<void> {
  if (await exists(place.dataDirectory)) return;
  const name = `kafka-formatted-${place.nodeId}-of-${all.length}`;
  const formatted = await preparedOnce(join(options.cache, name), async into => {
    const dataDirectory = join(into, 'data');
    const properties = join(into, 'server.properties');
    await writeFile(properties, brokerProperties({ ...place, dataDirectory }, all));
    const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties];
    await mustRun(
      'formatting Kafka storage',
      options.java.command,
      [...LOGGING, '-cp', classPath, ...format],
      {
        environment: options.environment,
        timeoutMs: FORMAT_TIMEOUT_MS,
      },
    );
  });
  await mkdir(dirname(place.dataDirectory), { recursive: true });
  await mustRun('copying Kafka storage', 'cp', ['-Rp', join(formatted, 'data'), place.dataDirectory], {
    environment: options.environment,
    timeoutMs: FORMAT_TIMEOUT_MS,
  });
}

async function startBroker(
  place: BrokerPlace,
  all: readonly BrokerPlace[],
  classPath: string,
  options: KafkaOptions,
): Promise<Child> {
  const name = nameOf(place);
  const properties = join(options.dataDirectory, `${name}.properties`);
  await writeFile(properties, brokerProperties(place, all, options.brokerSettings));
  // One broker writes the archive for all.
  const writeArchive = options.writeArchive && place.nodeId === 1;
  const { flags, archive } = await javaFlags('kafka', { ...options, writeArchive });
  const logFile = join(options.logDirectory, `${name}.log`);
  const logStart = (await exists(logFile)) ? (await stat(logFile)).size : 0;
  const child = await startGuarded({
    name,
    command: options.java.command,
    args: [...HEAP, ...flags, ...LOGGING, '-cp', classPath, 'kafka.Kafka', properties],
    logFile,
    workingDirectory: options.dataDirectory,
    environment: options.environment,
    stopSignal: 'TERM',
    stopGraceS: archive ? ARCHIVE_GRACE_S : STOP_GRACE_S,
    token: options.token,
  });
  try {
    await untilReady(child, logSays(logFile, READY_LINE, logStart), START_TIMEOUT_MS);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return archive ? keepingArchive(child, archive) : child;
}
