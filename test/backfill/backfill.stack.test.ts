/** A second version of a feature set on real Kafka: built under live traffic, killed on its way, switched to and back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Bad, openCodec } from '@millrace/avro';
import {
  backfillFeatures, type BackfillFlags, decoded, openWorld, prepare, switchSet, wholeTopic, type World,
} from '@millrace/cli'; // prettier-ignore
import { catalogue, consumerGroup, type PredictionValue, scoredValues, topicsOf } from '@millrace/contracts';
import { featureNames, ofSet } from '@millrace/define';
import { describeUnless } from '../jest/skip.ts';
import { noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { eventually } from '../journey/world.ts';
import { NEW_FEATURE, twoSets, writeModels } from './definition.ts';
import { terminal } from './terminal.ts';
import { openTraffic, type SimulatedPayment, type Traffic } from './traffic.ts';

const SERVE = join(import.meta.dirname, 'serve.ts');
const HISTORY = 40_000;
const LIVE_EACH = 6;
const LIVE_MS = 100;
const LIMIT_MS = 240_000;
const DAY_MS = 86_400_000;

const pipeline = twoSets(uniqueName('backfill'));
const SHARED = `customerTxCount30d`;

let world: World;
let traffic: Traffic;
let directory: string;
let flags: BackfillFlags;
let inference: ChildProcess;
const children = new Set<ChildProcess>();

const serve = (service: 'feature' | 'inference', pipelines: string): ChildProcess => {
  const { kafka, registry } = stackAddresses();
  const child = spawn(process.execPath, [SERVE], {
    env: {
      ...process.env,
      SERVE: service,
      KAFKA_BOOTSTRAP_SERVERS: kafka,
      SCHEMA_REGISTRY_URL: registry,
      MILLRACE_PIPELINES: pipelines,
      MILLRACE_MODELS: directory,
      FEATURE_SESSION_TIMEOUT_MS: '4000',
      INFERENCE_SESSION_TIMEOUT_MS: '4000',
    },
    stdio: 'ignore',
  });
  children.add(child);
  return child;
};
const end = (child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> =>
  new Promise(resolve => {
    children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill(signal);
  });

const answers = async (): Promise<readonly PredictionValue[]> => {
  const topic = topicsOf(pipeline).predictions;
  const codec = await openCodec<PredictionValue>(world.registry, catalogue([pipeline]).find(({ name }) => name === topic)!.value!);
  const found: PredictionValue[] = [];
  for await (const { value } of decoded(await wholeTopic(world.broker, topic), codec))
    if (value !== null && !(value instanceof Bad)) found.push(value);
  return found;
}; // prettier-ignore

/** Events that the second version has folded for good. */
const foldedBySecond = async (): Promise<number> => {
  const group = consumerGroup('feature', ofSet(pipeline, 2));
  const at = await world.broker.admin.committed(group, Object.values(topicsOf(pipeline).events));
  return at.reduce((sum, { offset }) => sum + offset, 0);
};

/** Payments of the customer up to this one within the days before it, counted one by one. */
const plainCount = (payments: readonly SimulatedPayment[], of: SimulatedPayment, days: number): number =>
  payments.filter(
    one =>
      one.customerId === of.customerId &&
      (one.txAt < of.txAt || (one.txAt === of.txAt && one.sequence <= of.sequence)) &&
      one.txAt > of.txAt - days * DAY_MS,
  ).length;

describeUnless(noStack)('a second version of a feature set', () => {
  let live: Promise<void> = Promise.resolve();
  const over = new AbortController();

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-backfill-'));
    writeModels(directory, pipeline);
    world = openWorld(stackAddresses());
    await prepare(world, [pipeline], () => '1');
    traffic = await openTraffic(world, pipeline, { customers: 400, terminals: 100 });
    flags = { version: 2, modelVersion: '2', models: directory, by: 'ada', why: 'a longer window', lagMax: 50, switch: false, from: undefined, to: undefined, output: 'json' }; // prettier-ignore
    serve('feature', `${pipeline.name}@1`);
    inference = serve('inference', pipeline.name);
    await traffic.send(HISTORY);
    const flow = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await traffic.send(LIVE_EACH);
        await world.clock.sleep(LIVE_MS);
      }
    };
    live = flow();
  }, LIMIT_MS);
  afterAll(async () => {
    over.abort();
    await live;
    await Promise.all([...children].map(child => end(child, 'SIGTERM')));
    await traffic.close();
    await world.broker.close();
    rmSync(directory, { recursive: true, force: true });
  }, LIMIT_MS);

  test(
    'killed on its way and asked for again, it catches up; there and back no payment is without an answer, or has two',
    async () => {
      // Killed when half of it is committed, and the command interrupted.
      let second: ChildProcess | undefined;
      const halfway = terminal(line => {
        // What is history is fixed before anybody computes it.
        if (line.startsWith('Nobody computes it')) second ??= serve('feature', `${pipeline.name}@2`);
      });
      const told = expect(backfillFeatures(halfway, world, pipeline, flags)).rejects.toThrow('interrupted');
      await eventually(
        foldedBySecond,
        count => count >= HISTORY / 2,
        count => `${count} of ${HISTORY} are folded`,
      );
      await end(second!, 'SIGKILL');
      halfway.interrupt();
      await told;
      expect((await answers()).every(({ featureSet }) => featureSet === 1)).toBe(true);

      serve('feature', `${pipeline.name}@2`);
      const io = terminal();
      // While the dead one's session lasts nobody folds: it may be too far behind to be switched to, and says so.
      await eventually(
        () => backfillFeatures(io, world, pipeline, { ...flags, switch: true }),
        code => code === 0,
        () => 'it never caught up',
      );
      const there = JSON.parse(io.data.at(-1)!) as { version: number; from: Record<string, number> };
      expect(Object.keys(there.from)).toHaveLength(pipeline.partitions);
      // It dies over the switch.
      await end(inference, 'SIGKILL');
      serve('inference', pipeline.name);
      await eventually(answers, found => found.filter(({ featureSet }) => featureSet === 2).length > 200, found => `${found.length} answers`); // prettier-ignore

      // It may be too far behind for a moment, or a task busy: asked again, the command says from where on each has it.
      const home = await eventually(
        async () => {
          const back = terminal();
          const code = await switchSet(back, world, pipeline, { ...flags, version: 1, modelVersion: undefined, evenBehind: false }); // prettier-ignore
          return code === 0 ? (JSON.parse(back.data.at(-1)!) as typeof there) : { version: 2, from: {} };
        },
        ({ from }) => Object.keys(from).length === pipeline.partitions,
        ({ from }) => `only ${Object.keys(from).join(', ')} are back`,
      );
      await world.clock.sleep(2_000);
      over.abort();
      await live;
      const { payments } = traffic;
      const found = await eventually(answers, all => all.length >= payments.length, all => `${all.length} of ${payments.length}`); // prettier-ignore

      expect(found.map(({ eventId }) => eventId).sort()).toEqual(
        payments.map(({ eventId }) => eventId).sort(),
      );
      const isSecond = ({ sourcePartition: p, sourceOffset }: PredictionValue): boolean =>
        sourceOffset >= there.from[p]! && sourceOffset < home.from[p]!;
      expect(found.filter(one => (one.featureSet === 2) !== isSecond(one))).toEqual([]);

      // One version in each record, and of it the figures that a plain count has.
      const valuesOf = scoredValues(pipeline);
      const byId = new Map(payments.map(one => [one.eventId, one]));
      const byCustomer = Map.groupBy(payments, ({ customerId }) => customerId);
      for (const one of found) {
        const values = valuesOf(one);
        expect(Object.keys(values)).toEqual([...featureNames(ofSet(pipeline, one.featureSet).features)]);
        const payment = byId.get(one.eventId)!;
        const [days, name] = one.featureSet === 2 ? [90, NEW_FEATURE] : [30, SHARED];
        expect([one.eventId, values[name]]).toEqual([
          one.eventId,
          plainCount(byCustomer.get(payment.customerId)!, payment, days),
        ]);
        expect(one.modelVersion).toBe(String(one.featureSet));
      }
    },
    LIMIT_MS,
  );
});
