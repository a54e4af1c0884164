/** Feature vectors to score: those of simulated payments, folded by the code that serves them. */
import type { FeaturesValue } from '@millrace/contracts';
import { featureNames, hashFeatureSet } from '@millrace/define';
import { compareOrder, compileSet, foldInOrder, readEvent } from '@millrace/features';
import { fraud, FRAUD_SIMULATION, simulateFraud } from '@millrace/pipelines';

const SEED = 20_261_124;
const DAYS = 45;
const CUSTOMERS = 1_000;

/** Different vectors; a load repeats them under event ids of its own. */
export const distinctVectors = (): readonly FeaturesValue[] => {
  const options = { ...FRAUD_SIMULATION, seed: SEED, customers: CUSTOMERS, terminals: 400, days: DAYS };
  const events = [...simulateFraud(options)]
    .map((event, offset) => readEvent(fraud, event.stream, { ...event.value }, 0, offset))
    .sort(compareOrder);
  const names = featureNames(fraud.features);
  const hash = hashFeatureSet(fraud);
  const vectors: FeaturesValue[] = [];
  for (const { event, values, late } of foldInOrder(compileSet(fraud), events)) {
    const { customerId, terminalId, amount } = event.fields;
    vectors.push({
      eventId: event.eventId,
      revision: event.revision,
      sequence: event.sequence,
      entity: String(customerId),
      eventTime: event.time,
      appendTime: event.time,
      featureSet: fraud.features.version,
      featureSetHash: hash,
      late,
      sourceTopic: 'fraud.transactions.v1',
      sourcePartition: 0,
      sourceOffset: vectors.length,
      inputHash: hash.slice(0, 32),
      runId: 'live',
      traceparent: null,
      event: { customerId, terminalId, amount },
      features: Object.fromEntries(names.map((name, i) => [name, values[i]!])),
    });
  }
  return vectors;
};

/** Event id of the load's record `i`. */
export const eventIdOf = (i: number): string => `bench-${i}`;

/** The load's record number of an event id; -1 where it is none of ours. */
export const indexOf = (eventId: string): number => {
  const found = /^bench-(\d+)$/.exec(eventId);
  return found === null ? -1 : Number(found[1]);
};
