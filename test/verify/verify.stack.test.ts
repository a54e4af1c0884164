/** Served features against recomputed ones on real Kafka: payments while labels flow, and after they have stopped. */
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Bad, openCodec } from '@millrace/avro';
import {
  type DatasetOptions, decoded, exportDataset, openPublisher, openWorld, prepare, verifyFeatures, type VerifyReport, wholeTopic, type World,
} from '@millrace/cli'; // prettier-ignore
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import { hashFeatureSet, type Pipeline } from '@millrace/define';
import { captureBackfill, DISORDER_MS_DEFAULT, FEATURE_DEFAULTS, featureService, SLICE_MS_DEFAULT } from '@millrace/feature'; // prettier-ignore
import { inferenceService } from '@millrace/inference';
import {
  fraud,
  FRAUD_SIMULATION,
  MODELS_FOLDER,
  simulateFraud,
  type SimulatedEvent,
} from '@millrace/pipelines';
import type { Component } from '@millrace/runtime';
import { noLogger, noMetrics } from '@millrace/telemetry';
import { terminal } from '../backfill/terminal.ts';
import { describeUnless, testUnless } from '../jest/skip.ts';
import { noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { eventually } from '../journey/world.ts';
import { recording } from '../parity/dataset/inputs.ts';
import { findPandas, judgeDataset, MISTAKES } from '../parity/dataset/judge.ts';

const LIMIT_MS = 180_000;
const DAY_MS = 86_400_000;
const pipeline: Pipeline = { ...fraud, name: uniqueName('verify'), partitions: 3 };
const TOPIC = topicsOf(pipeline).predictions;

/** Labels stop ten days before the payments do. */
const LABELS_UNTIL_MS = FRAUD_SIMULATION.startAt + 20 * DAY_MS;
/** Windows look at labels a week after their payment: of three, two are known before that, and one long after it. */
const laterKnown = (event: SimulatedEvent): SimulatedEvent =>
  event.stream === 'labels' && event.value.sequence % 3 === 0
    ? { ...event, value: { ...event.value, knownAt: event.value.knownAt + 7 * DAY_MS } }
    : event;
const orderTimeOf = ({ value }: SimulatedEvent): number => ('knownAt' in value ? value.knownAt : value.txAt);
const EVENTS = [...simulateFraud({ ...FRAUD_SIMULATION, customers: 40, terminals: 15, labelDelayDays: 5 })]
  .map(laterKnown)
  .filter(({ value }) => !('knownAt' in value) || value.knownAt < LABELS_UNTIL_MS)
  .toSorted((a, b) => orderTimeOf(a) - orderTimeOf(b));
const python = noStack === undefined ? await findPandas() : { missing: noStack };
const isPayment = ({ stream }: SimulatedEvent): boolean => stream === 'transactions';
const PAYMENTS = EVENTS.filter(isPayment).length;

/** The shipped model as one of this pipeline's. */
const writeModel = (folder: string): void => {
  const into = join(folder, pipeline.model.name, '1');
  cpSync(join(MODELS_FOLDER, fraud.model.name, '1'), into, { recursive: true });
  const file = join(into, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const featureSet = { pipeline: pipeline.name, version: 1, hash: hashFeatureSet(pipeline) };
  writeFileSync(file, JSON.stringify({ ...manifest, featureSet }));
};

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const digestOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

describeUnless(noStack)('features on a real stack', () => {
  let world: World;
  let folder: string;
  let plantedAll: Promise<void> | undefined;
  const running: Component[] = [];
  const over = new AbortController();

  const codec = () => openCodec<PredictionValue>(world.registry, catalogue([pipeline]).find(({ name }) => name === TOPIC)!.value!); // prettier-ignore
  const answers = async (): Promise<readonly PredictionValue[]> => {
    const found: PredictionValue[] = [];
    for await (const { value } of decoded(await wholeTopic(world.broker, TOPIC), await codec()))
      if (value !== null && !(value instanceof Bad)) found.push(value);
    return found;
  };
  const verified = async (sample = '1'): Promise<VerifyReport & { readonly code: number }> => {
    const io = terminal();
    const metricsFile = join(folder, 'skew.prom');
    const code = await verifyFeatures(io, world, pipeline, {
      set: 1, from: undefined, to: undefined, sample, tolerance: 1e-6, top: 5, html: undefined, metricsFile, output: 'json',
    }); // prettier-ignore
    expect(readFileSync(metricsFile, 'utf8')).toContain(`millrace_skew_agrees{pipeline="${pipeline.name}",set="1"} ${Number(code === 0)}`); // prettier-ignore
    return { ...(JSON.parse(io.data[0]!) as VerifyReport), code };
  };

  const inputs = (): string => join(folder, 'published.jsonl');
  /** Rows of all days, with labels that were known three days before they stopped. @returns the file */
  const exported = async (name: string, more: Partial<DatasetOptions> = {}): Promise<string> => {
    const { startAt, days } = FRAUD_SIMULATION;
    const out = join(folder, `${name}.parquet`);
    const code = await exportDataset(terminal(), world, pipeline, {
      from: dayOf(startAt), to: dayOf(startAt + (days - 1) * DAY_MS), asOf: dayOf(LABELS_UNTIL_MS - 3 * DAY_MS), source: 'served', out,
      like: undefined, set: undefined, output: 'json', ...more,
    }); // prettier-ignore
    expect(code).toBe(0);
    return out;
  };
  /** Two values of one answer that are wrong, and an answer to a payment that was never made; once. */
  const plant = async (): Promise<void> => {
    const before = await answers();
    const [one, other] = [before[100]!, before[200]!];
    const planted: readonly PredictionValue[] = [
      { ...one, features: { ...one.features, terminalRisk7d: 0.75, customerTxCount7d: Number.NaN } },
      { ...other, eventId: `${other.eventId}-never-sent` },
    ];
    const producer = await world.broker.producer();
    const written = await codec();
    await producer.send(planted.map(of => ({ topic: TOPIC, partition: of.sourcePartition, key: Buffer.from(of.entity), value: written.encode(of) }))); // prettier-ignore
    await producer.close();
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-verify-'));
    writeModel(folder);
    world = openWorld(stackAddresses());
    await prepare(world, [pipeline], () => '1');
    const publisher = await openPublisher(world, pipeline);
    const value = (event: SimulatedEvent) => ({
      revision: 0,
      withdrawn: false,
      lineage: null,
      ...event.value,
    });
    const values = EVENTS.map(event => ({ stream: event.stream, value: value(event) }));
    await recording(publisher, inputs()).publish(values);
    await publisher.close();
    // All of it is history, so that it is folded in order time.
    const history = { sliceMs: SLICE_MS_DEFAULT, disorderMs: DISORDER_MS_DEFAULT, by: 'test' };
    await captureBackfill({ ...world, ...history, pipeline });
    const given = { ...world, random: Math.random, metrics: noMetrics, logger: noLogger };
    running.push(
      featureService({ ...given, pipeline, config: FEATURE_DEFAULTS }),
      inferenceService({ ...given, pipelines: [pipeline], models: folder, instance: 'verify' }),
    );
    for (const service of running) await service.start(over.signal);
    const isThere = (found: readonly PredictionValue[]): boolean => found.length === PAYMENTS;
    await eventually(answers, isThere, found => `${found.length} of ${PAYMENTS} payments are answered`);
    await exported('rows');
  }, LIMIT_MS);
  afterAll(async () => {
    over.abort();
    for (const service of running) await service.stop(5_000);
    await world?.broker.close();
    rmSync(folder, { recursive: true, force: true });
  }, LIMIT_MS);

  test(
    'are stale once labels have stopped, are those that are recomputed, and what is planted is told',
    async () => {
      const before = await answers();
      const staleOf = (fromMs: number, untilMs: number): readonly boolean[] =>
        before
          .filter(({ eventTime }) => eventTime >= fromMs && eventTime < untilMs)
          .map(({ stale }) => stale);
      // The bound of the fraud pipeline is two days; each partition has its labels.
      expect(new Set(staleOf(LABELS_UNTIL_MS + 2 * DAY_MS, Number.POSITIVE_INFINITY))).toEqual(
        new Set([true]),
      );
      expect(new Set(staleOf(LABELS_UNTIL_MS - 7 * DAY_MS, LABELS_UNTIL_MS))).toEqual(new Set([false]));

      const agreed = await verified();
      expect(agreed.vectors).toEqual({ matched: PAYMENTS, differing: 0, missing: 0, extra: 0, excused: 0 });
      expect([agreed.code, agreed.stale]).toEqual([0, before.filter(({ stale }) => stale).length]);
      const part = await verified('1/4');
      expect([part.code, part.vectors.matched > 0, part.vectors.matched < PAYMENTS / 2]).toEqual([
        0,
        true,
        true,
      ]);

      await (plantedAll ??= plant());
      const found = await verified();
      expect(found.vectors).toEqual({
        matched: PAYMENTS - 1,
        differing: 1,
        missing: 0,
        extra: 1,
        excused: 0,
      });
      const counts = found.features.filter(({ mismatch, missing, extra }) => mismatch + missing + extra > 0);
      expect(counts.map(({ name, mismatch, missing, extra }) => [name, mismatch, missing, extra])).toEqual([
        ['customerTxCount7d', 0, 1, 0],
        ['terminalRisk7d', 1, 0, 0],
      ]);
      expect([found.code, found.examples.extra.map(({ cause }) => cause)]).toEqual([3, ['no-event']]);
    },
    LIMIT_MS,
  );

  testUnless('missing' in python ? python.missing : undefined)(
    'as rows to train on are what pandas computes from what was published, and what is planted is told',
    async () => {
      const path = 'path' in python ? python.path : '';
      const rows = join(folder, 'rows.parquet');
      const again = await exported('again', { like: `${rows}.manifest.json` });
      const recomputed = await exported('recomputed', { source: 'recomputed' });
      expect([digestOf(again), digestOf(recomputed)]).toEqual([digestOf(rows), digestOf(rows)]);

      const judged = await judgeDataset(path, rows, inputs(), MISTAKES);
      expect(judged).toMatchObject({ wrong: [], rows: PAYMENTS, mismatches: 0, undecided: 0 });
      expect(judged.values).toBe(PAYMENTS * 19);
      expect([judged.labelled > 0, judged.labelled < PAYMENTS]).toEqual([true, true]);
      // Each mistake of the judge would be one of ours: it is seen.
      const { edges, later, unknown } = judged.mistakes;
      expect(edges!['customerTxCount1d']).toBe(PAYMENTS);
      expect(later!['customerTxCount7d']).toBeGreaterThan(0);
      expect([unknown!['terminalRisk30d']! > 0, unknown!['label']! > 0]).toEqual([true, true]);

      await (plantedAll ??= plant());
      const told = await judgeDataset(path, await exported('planted'), inputs());
      expect(told.wrong).toEqual([
        '1 rows have no event of these days',
        'customerTxCount7d differs in 1 rows',
        'terminalRisk7d differs in 1 rows',
      ]);
    },
    2 * LIMIT_MS,
  );
});
