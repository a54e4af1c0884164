/** The feature service as it is, in this process, on the broker in memory: what it costs without Kafka and its protocol. */
import { openCodec } from '@millrace/avro';
import { catalogue, topicsOf } from '@millrace/contracts';
import { FEATURE_DEFAULTS, featureGroup, featureService } from '@millrace/feature';
import { createTelemetry, noTracing, systemClock, systemRandom } from '@millrace/telemetry';
import { memoryBroker, murmur2Partition } from '@millrace/stream';
import { memoryRegistry } from '@millrace/avro';
import { simulateFraud } from '@millrace/pipelines';
import { customersOf } from '../feature/pipeline.ts';
import { SIMULATION } from '../load/payments.ts';

const records = Number(process.argv[2] ?? 200_000);
const pipeline = customersOf(1);
const broker = memoryBroker({ clock: systemClock, runRecordsMax: 5_000 });
const registry = memoryRegistry();
const topics = catalogue([pipeline]);
await broker.admin.createTopics(topics.map(({ name, partitions, config }) => ({ name, partitions, config })));
for (const { value } of topics) if (value !== undefined) await registry.register(value.subject, value.schema);
const { scored } = topicsOf(pipeline);
const codec = await openCodec<Record<string, unknown>>(registry, topics.find(({ name }) => name === scored)!.value!);
const producer = await broker.producer();
let sent = 0;
let batch: Parameters<typeof producer.send>[0][number][] = [];
for (const { stream, value } of simulateFraud(SIMULATION)) {
  if (stream !== pipeline.scores) continue;
  const key = Buffer.from(value.customerId);
  batch.push({ topic: scored, partition: murmur2Partition(key, pipeline.partitions), key, value: codec.encode({ revision: 0, withdrawn: false, lineage: null, ...value }) });
  if (batch.length === 5_000) { await producer.send(batch); batch = []; }
  if (++sent === records) break;
}
if (batch.length > 0) await producer.send(batch);
const telemetry = createTelemetry({ service: 'micro', version: '0', instance: 'x', logLevel: 'error' });
const service = featureService({ pipeline, broker, registry, clock: systemClock, random: systemRandom, metrics: telemetry.metrics, logger: telemetry.logger, tracing: noTracing, config: FEATURE_DEFAULTS });
const before = process.cpuUsage();
const beforeMs = performance.now();
await service.start(new AbortController().signal);
const lapMs = 200;
let last = 0; let lastCpu = 0;
for (;;) {
  await systemClock.sleep(lapMs);
  const done = (await broker.admin.committed(featureGroup(pipeline), [scored])).reduce((s, { offset }) => s + Math.max(0, offset), 0);
  const cpu = process.cpuUsage(before);
  const us = cpu.user + cpu.system;
  if (process.env['LAPS']) console.log(done, ((us - lastCpu) / (done - last || 1)).toFixed(1), 'us/record');
  last = done; lastCpu = us;
  if (done >= records) {
    console.log(`${records}: ${(us / records).toFixed(2)} us/record, ${(records / (performance.now() - beforeMs) * 1000).toFixed(0)}/s, rss ${(process.memoryUsage().rss/1e6).toFixed(0)}`);
    break;
  }
}
await service.stop(1000);
process.exit(0);
