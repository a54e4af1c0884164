/** In a process of its own: tasks that commit one transaction after the other for a while, and what each took. */
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaBroker } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import { percentilesOf } from '../figures.ts';
import { GROUP, PARTITIONS, TOPICS } from './topics.ts';

const [bootstrapServers = '', seconds = '5', inFlight = '1', offsetsWhen = 'beside'] = process.argv.slice(2);
const RECORDS = 20;
const VALUE = Buffer.alloc(400, 7);
const WARM_MS = 1_500;

const broker = kafkaBroker({ bootstrapServers, clientId: 'bench', logger: noLogger, clock: systemClock });
await broker.admin.describeTopics([...TOPICS]);
const tasks = await Promise.all(
  Array.from({ length: PARTITIONS }, (_, task) => broker.transactionalProducer(`bench.transactions.${task}`)),
);
const next = tasks.map(() => 0);
let waits: number[] = [];

/** As a task of the feature service has it: two outputs and a changelog, and the offset of its input beside them. */
const commit = async (task: number): Promise<void> => {
  const producer = tasks[task]!;
  const startMs = performance.now();
  const records = TOPICS.flatMap(topic =>
    Array.from({ length: RECORDS }, () => ({
      topic,
      partition: task,
      key: VALUE.subarray(0, 8),
      value: VALUE,
    })),
  );
  const at = { topic: TOPICS[0], partition: task, offset: ++next[task]! };
  const sent = producer.send(records);
  if (offsetsWhen === 'behind') await sent;
  await Promise.all([sent, producer.sendOffsets(GROUP, [at])]);
  await producer.commit();
  waits.push(performance.now() - startMs);
};

const over = new AbortController();
/** With six in flight each task has its own; with one they take turns. */
const work = async (first: number): Promise<void> => {
  for (let task = first; !over.signal.aborted; task = (task + Number(inFlight)) % PARTITIONS)
    await commit(task);
};
const working = Promise.all(Array.from({ length: Number(inFlight) }, (_, first) => work(first)));
await sleep(WARM_MS);
waits = [];
const cpu = process.cpuUsage();
const startMs = performance.now();
await sleep(Number(seconds) * 1_000);
const done = waits;
const tookS = (performance.now() - startMs) / 1_000;
const { user, system } = process.cpuUsage(cpu);
over.abort();
await working;
for (const producer of tasks) await producer.close();
await broker.close();
const { p50, p99 } = percentilesOf(Float64Array.from(done));
process.stdout.write(
  JSON.stringify({ perSecond: done.length / tookS, p50, p99, cpuMs: (user + system) / 1e3 / done.length }),
);
