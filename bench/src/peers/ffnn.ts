/**
 * The workload of the Crayfish benchmark (github.com/soniahorchidan/crayfish23): 784 uniform random inputs, four hidden layers of 32 with
 * ReLU, 10 outputs. The bench puts vectors on the features topic itself, so what the definition says of inputs is never asked.
 */
import type { FeaturesValue } from '@millrace/contracts';
import {
  definePipeline, featureSet, field, ge, hashFeatureSet, multiply, output, type Pipeline, threshold,
} from '@millrace/define'; // prettier-ignore
import { seededRandom } from '@millrace/pipelines';
import type { Delivery } from '../contestants.ts';

const INPUTS = 784;
const OUTPUTS = 10;
/** Different vectors; a load repeats them. */
const VECTORS = 500;
const SEED = 20_261_129;
const START_MS = Date.UTC(2026, 0, 1);

export const FFNN_LAYERS = [INPUTS, 32, 32, 32, 32, OUTPUTS] as const;
export const FFNN_OUTPUTS = Array.from({ length: OUTPUTS }, (_, i) => `y${i}`);

export const ffnnPipeline = (delivery: Delivery = 'exactly-once'): Pipeline =>
  definePipeline({
    name: 'ffnn',
    description: 'Images as numbers, scored by a small network.',
    entity: 'customerId',
    scores: 'transactions',
    events: {
      transactions: { schema: 'fraud/transaction', time: 'txAt', keys: ['customerId', 'terminalId'] },
    },
    features: featureSet({
      version: 1,
      inputs: Object.fromEntries(Array.from({ length: INPUTS }, (_, i) => [`x${i}`, field('amount')])),
      views: [],
    }),
    model: { name: 'ffnn', outputs: FFNN_OUTPUTS, fallback: [] },
    thresholds: { block: 0.5, review: 0.2 },
    decisions: [
      { name: 'block', when: ge(output('y0'), threshold('block')) },
      { name: 'review', when: ge(output('y0'), threshold('review')) },
      { name: 'approve' },
    ],
    kpis: { expectedLoss: multiply(output('y0'), field('amount')) },
    delivery: { inference: delivery === 'exactly-once' ? 'exactly_once' : 'at_least_once' },
  });

export const ffnnVectors = (): readonly FeaturesValue[] => {
  const pipeline = ffnnPipeline();
  const random = seededRandom(SEED);
  const hash = hashFeatureSet(pipeline);
  const names = Object.keys(pipeline.features.inputs);
  return Array.from({ length: VECTORS }, (_, i) => {
    const customerId = String(i);
    const eventTime = START_MS + i * 1000;
    return {
      eventId: '',
      revision: 0,
      sequence: i,
      entity: customerId,
      eventTime,
      appendTime: eventTime,
      featureSet: 1,
      featureSetHash: hash,
      late: false,
      sourceTopic: 'ffnn.transactions.v1',
      sourcePartition: 0,
      sourceOffset: i,
      inputHash: hash.slice(0, 32),
      runId: 'live',
      traceparent: null,
      event: { customerId, terminalId: String(i % 100), amount: i },
      features: Object.fromEntries(names.map(name => [name, Math.fround(random.next())])),
    };
  });
};
