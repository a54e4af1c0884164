/**
 * What one writes without Millrace: a plain consumer on kafkajs, avsc and ONNX Runtime, every setting but one at its default, one
 * engine call for each partition's share of a fetch. It writes the same predictions as the service, and does nothing
 * else: see docs/BENCHMARKS.md for what it leaves out. `main.ts JOB`
 */
import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { FeaturesValue } from '@millrace/contracts';
import avro from 'avsc';
import { Kafka, logLevel } from 'kafkajs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Job } from '../job.ts';

const job = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Job;
const { model } = job;
const typeOf = (schema: string): avro.Type => avro.Type.forSchema(JSON.parse(schema) as avro.Schema);
const inType = typeOf(job.inSchema);
const outType = typeOf(job.outSchema);
const head = Buffer.alloc(5);
head.writeInt32BE(job.outSchemaId, 1);

const width = model.features.length;
const session = await InferenceSession.create(model.file, {
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const fetches = [...new Set(model.outputs.map(({ tensor }) => tensor))];

/** Each vector's outputs, by name. */
const score = async (vectors: readonly FeaturesValue[]): Promise<Record<string, number>[]> => {
  const data = new Float32Array(vectors.length * width);
  vectors.forEach(({ features }, i) =>
    model.features.forEach((name, j) => (data[i * width + j] = features[name]!)),
  );
  const feeds = { [model.input]: new Tensor('float32', data, [vectors.length, width]) };
  const results = await session.run(feeds, fetches);
  return vectors.map((_, i) =>
    Object.fromEntries(
      model.outputs.map(({ name, tensor, column }) => {
        const found = results[tensor]!;
        return [name, Number(found.data[i * found.dims[1]! + column])];
      }),
    ),
  );
};

const decisionOf = (value: number): string =>
  job.decisions.find(({ atLeast }) => atLeast === null || value >= atLeast)!.name;

const predictionOf = (
  v: FeaturesValue,
  outputs: Readonly<Record<string, number>>,
  offset: string,
  batchId: string,
): object => {
  const { event, ...copied } = v;
  const value = outputs[model.outputs[0]!.name]!;
  return {
    ...copied,
    predictionId: hash(
      'sha256',
      `${job.pipeline}\0${v.eventId}\0${v.revision}\0${v.runId}\0answer\x000`,
      'hex',
    ).slice(0, 32),
    scoredAt: Date.now(),
    outputs,
    decision: decisionOf(value),
    kpis: { expectedLoss: value * (event['amount'] as number) },
    model: model.name,
    modelVersion: model.version,
    modelDigest: model.sha256,
    controlRevision: 1,
    route: 'default',
    routeVersion: 1,
    review: false,
    engine: 'cpu',
    arm: 'champion',
    role: 'answer',
    fallback: null,
    stale: false,
    vectorOffset: Number(offset),
    batchId,
    seq: 0,
    final: true,
    supersedes: null,
  };
};

const kafka = new Kafka({
  clientId: job.contestant,
  brokers: job.bootstrap.split(','),
  logLevel: logLevel.ERROR,
});
const producer = kafka.producer();
// At the default of 1 MiB the answers to one fetch are larger than the broker takes in one batch.
const maxBytesPerPartition = 512 * 1024;
const consumer = kafka.consumer({ groupId: job.group, maxBytesPerPartition });
consumer.on('consumer.group_join', () => writeFileSync(job.readyFile, '{}'));
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: job.inTopic, fromBeginning: true });
let batches = 0;
await consumer.run({
  eachBatch: async ({ batch: { messages } }) => {
    const vectors = messages.map(message => inType.fromBuffer(message.value!.subarray(5)) as FeaturesValue);
    const scores = await score(vectors);
    const batchId = `plain-${batches++}`;
    await producer.send({
      topic: job.outTopic,
      messages: messages.map((message, i) => ({
        key: message.key,
        value: Buffer.concat([
          head,
          outType.toBuffer(predictionOf(vectors[i]!, scores[i]!, message.offset, batchId)),
        ]),
      })),
    });
  },
});
