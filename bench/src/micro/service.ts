/** The feature service as it is, in this process, on the broker in memory: what it costs without Kafka and its protocol. */
import { Bad, memoryRegistry, openCodec, type Registry } from '@millrace/avro';
import { applySchemas, catalogue, type FeaturesValue, schemaPlan, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { FEATURE_DEFAULTS, featureGroup, featureService } from '@millrace/feature';
import { type Broker, decoded, memoryBroker, wholeTopic } from '@millrace/stream';
import { createTelemetry, systemClock as clock, systemRandom as random } from '@millrace/telemetry';
import { isRight } from '../feature/bench.ts';
import { Folded, paymentOf, Payments } from '../load/payments.ts';
import { Sheet } from '../sheet.ts';
import { sumOf } from '../world/offsets.ts';
import { type Piece, RUN_RECORDS } from './piece.ts';

const FILL_PER_SECOND = 1e9;
/** Asking costs CPU too, which is counted. */
const LOOK_MS = 50;
/** Long: a machine that is busy with other work may give us little of itself. */
const PROGRESS_WAIT_MS_MAX = 300_000;
const STOP_MS_MAX = 1_000;

export interface Town {
  readonly broker: Broker;
  readonly registry: Registry;
  readonly signal: AbortSignal;
}

export const openTown = async (pipeline: Pipeline, signal: AbortSignal): Promise<Town> => {
  const broker = memoryBroker({ clock, runRecordsMax: RUN_RECORDS });
  const registry = memoryRegistry();
  const topics = catalogue([pipeline]);
  await broker.admin.createTopics(
    topics.map(({ name, partitions, config }) => ({ name, partitions, config })),
  );
  await applySchemas(registry, await schemaPlan(registry, topics));
  return { broker, registry, signal };
};

/** @throws Error where nothing more is committed for too long */
export const untilCommitted = async (
  { broker, signal }: Town,
  group: string,
  topic: string,
  records: number,
): Promise<void> => {
  let [before, sinceMs] = [0, clock.now()];
  for (;;) {
    const committed = sumOf(await broker.admin.committed(group, [topic]));
    if (committed >= records) return;
    if (committed > before) [before, sinceMs] = [committed, clock.now()];
    if (clock.now() - sinceMs > PROGRESS_WAIT_MS_MAX)
      throw new Error(`${group} has stopped at ${committed} of ${records} records`);
    await clock.sleep(LOOK_MS, signal);
  }
};

/** Starts the service and has it fold all that is there. */
const folded = async (town: Town, pipeline: Pipeline, records: number, run: (work: () => Promise<void>) => Promise<void>): Promise<void> => {
  const telemetry = createTelemetry({ service: 'bench', version: '0', instance: 'micro', logLevel: 'error' });
  const { broker, registry, signal } = town;
  const { metrics, logger } = telemetry;
  const service = featureService({
    pipeline, broker, registry, clock, random, metrics, logger, config: FEATURE_DEFAULTS,
  }); // prettier-ignore
  try {
    await run(async () => {
      await service.start(signal);
      const { scored } = topicsOf(pipeline);
      await Promise.race([service.failed!, untilCommitted(town, featureGroup(pipeline), scored, records)]);
    });
  } finally {
    await service.stop(STOP_MS_MAX);
    await telemetry.stop();
  }
}; // prettier-ignore

/** What is wrong with the vectors, of which there should be one for each payment, as the fold offline gives them. */
const wrongVectors = async ({ broker, registry }: Town, pipeline: Pipeline, records: number): Promise<string | undefined> => {
  const { features } = topicsOf(pipeline);
  const value = catalogue([pipeline]).find(({ name }) => name === features)!.value!;
  const codec = await openCodec<FeaturesValue>(registry, value);
  const offline = new Folded(pipeline);
  const sheet = new Sheet({ names: offline.names, from: 0, to: records });
  for await (const { value: vector } of decoded(await wholeTopic(broker, features), codec))
    if (vector === null || vector instanceof Bad) sheet.add(-1, {});
    else sheet.add(paymentOf(vector.eventId), vector.features);
  const account = sheet.account(offline.next(records));
  return isRight(account) ? undefined : JSON.stringify(account);
}; // prettier-ignore

/** Records come, are decoded and folded; vectors, state and offsets go, in transactions. */
export const servicePiece = (name: string, pipeline: Pipeline, records: number, signal: AbortSignal): Piece => ({
  name,
  round: async meter => {
    const town = await openTown(pipeline, signal);
    try {
      const payments = await Payments.open({ ...town, clock }, pipeline);
      await payments.send(records, FILL_PER_SECOND);
      await folded(town, pipeline, records, work => meter.run(work));
      return await wrongVectors(town, pipeline, records);
    } finally {
      await town.broker.close();
    }
  },
}); // prettier-ignore
