/**
 * What one writes without Millrace: a plain consumer on kafkajs, avsc and ONNX Runtime, every setting but one at its default, one
 * engine call for each partition's share of a fetch. It writes the same predictions as the service, and does nothing
 * else: see docs/BENCHMARKS.md for what it leaves out.
 */
import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogue, type FraudFeatures, type FraudPrediction, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import avro from 'avsc';
import { Kafka, logLevel } from 'kafkajs';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const { values: flags } = parseArgs({
  options: {
    bootstrap: { type: 'string' },
    group: { type: 'string' },
    model: { type: 'string' },
    out: { type: 'string' },
    'schema-id': { type: 'string' },
    'ready-file': { type: 'string' },
  },
});
const given = (name: keyof typeof flags): string => {
  const value = flags[name];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
};

const topics = topicsOf(fraud);
const typeOf = (topic: string): avro.Type =>
  avro.Type.forSchema(
    JSON.parse(catalogue([fraud]).find(one => one.name === topic)!.value!.schema) as avro.Schema,
  );
const inType = typeOf(topics.features);
const outType = typeOf(topics.predictions);
const head = Buffer.alloc(5);
head.writeInt32BE(Number(given('schema-id')), 1);

interface ManifestFile {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly features: readonly (keyof FraudFeatures['features'])[];
  readonly inputs: readonly { readonly name: string }[];
  readonly outputs: readonly { readonly tensor: string; readonly column: number }[];
}
const manifest = JSON.parse(readFileSync(join(given('model'), 'manifest.json'), 'utf8')) as ManifestFile;
const output = manifest.outputs[0]!;
const width = manifest.features.length;
const session = await InferenceSession.create(join(given('model'), 'model.onnx'), {
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});

const score = async (vectors: readonly FraudFeatures[]): Promise<number[]> => {
  const data = new Float32Array(vectors.length * width);
  vectors.forEach(({ features }, i) =>
    manifest.features.forEach((name, j) => (data[i * width + j] = features[name])),
  );
  const feeds = { [manifest.inputs[0]!.name]: new Tensor('float32', data, [vectors.length, width]) };
  const tensor = (await session.run(feeds, [output.tensor]))[output.tensor]!;
  const columns = tensor.dims[1]!;
  return vectors.map((_, i) => Number(tensor.data[i * columns + output.column]));
};

const { block, review } = fraud.thresholds as { block: number; review: number };
const decisionOf = (value: number): string =>
  value >= block ? 'block' : value >= review ? 'review' : 'approve';

const predictionOf = (v: FraudFeatures, value: number, offset: string, batchId: string): FraudPrediction => {
  const { event, ...copied } = v;
  return {
    ...copied,
    predictionId: hash('sha256', `fraud\0${v.eventId}\0${v.revision}\0${v.runId}\0answer\x000`, 'hex').slice(
      0,
      32,
    ),
    scoredAt: Date.now(),
    outputs: { score: value },
    decision: decisionOf(value),
    kpis: { expectedLoss: value * event.amount },
    model: manifest.name,
    modelVersion: manifest.version,
    modelDigest: manifest.sha256,
    controlRevision: 1,
    route: 'default',
    routeVersion: 1,
    review: false,
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
  clientId: 'plain',
  brokers: given('bootstrap').split(','),
  logLevel: logLevel.ERROR,
});
const producer = kafka.producer();
// At the default of 1 MiB the answers to one fetch are larger than the broker takes in one batch.
const maxBytesPerPartition = 512 * 1024;
const consumer = kafka.consumer({ groupId: given('group'), maxBytesPerPartition });
consumer.on('consumer.group_join', () => writeFileSync(given('ready-file'), '{}'));
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: topics.features, fromBeginning: true });
let batches = 0;
await consumer.run({
  eachBatch: async ({ batch: { messages } }) => {
    const vectors = messages.map(message => inType.fromBuffer(message.value!.subarray(5)) as FraudFeatures);
    const scores = await score(vectors);
    const batchId = `plain-${batches++}`;
    await producer.send({
      topic: given('out'),
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
