/**
 * What the hot path asks of the world for a stretch of the simulated payments: requests, engine calls, records and bytes.
 * Feature and inference service run as they are, on the broker in memory, under the schedule of the simulation, without
 * faults: the same code gives the same counts on every machine, whatever else it does.
 */
import { fraud, FRAUD_SIMULATION, seededRandom, simulateFraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import { RIGHT } from '../simulate/clocks.ts';
import { runOn } from '../simulate/globals.ts';
import { readTopic } from '../simulate/read.ts';
import { MARKS_DEFAULT } from '../simulate/reading.ts';
import { type Host, hostOf, Schedule, type Step } from '../simulate/schedule.ts';
import { Town } from '../simulate/town.ts';
import type { Sent } from '../simulate/traffic.ts';
import type { World } from '../simulate/world.ts';

/** By name; requests and engine calls for a million scored events, records for one, bytes of one record. */
export type Counts = Readonly<Record<string, number>>;

/** After every event's own time: what lies in the future is refused. */
const START_MS = Date.UTC(2026, 3, 1);
/** Payments and labels; some 140 of 1,000 payments have their label within the stretch. */
const EVENTS = 3_000;
const EVENTS_PER_S = 2_000;
/** After the last event: everything is answered and committed by then. */
const REST_MS = 2_000;
const SEED = 7;

/** What a record costs at the brokers. How often is asked for more is the memory broker's own affair. */
const COUNTED: ReadonlySet<string> = new Set(['send', 'sendOffsets', 'commit']);

class CountingSchedule extends Schedule {
  readonly requests = new Map<string, number>();

  override add(step: Step): void {
    const { name } = step.host;
    if (name.endsWith(' to broker:') && COUNTED.has(step.what)) {
      const what = `${name.replace(/-\d+ to broker:$/, '')} ${step.what}`;
      this.requests.set(what, (this.requests.get(what) ?? 0) + 1);
    }
    super.add(step);
  }
}

/** One after the other, in event time long before: only the order and the pace are those of a stream. */
const eventsOf = (world: World): readonly Sent[] => {
  const options = { ...FRAUD_SIMULATION, customers: 100, terminals: 40, days: 60 };
  const sent: Sent[] = [];
  for (const { stream, value } of simulateFraud(options)) {
    if (sent.length === EVENTS) break;
    const n = sent.length;
    const key = new TextEncoder().encode(value.customerId);
    const fields = { ...value, revision: 0, withdrawn: false, lineage: null };
    sent.push({
      n,
      atMs: START_MS + Math.floor((n * 1_000) / EVENTS_PER_S),
      stream,
      partition: murmur2Partition(key, fraud.partitions),
      key,
      value: world.events.get(stream)!.encode(fields),
      fields,
      fate: 'folded',
    });
  }
  return sent;
};

const pass = async (schedule: Schedule, untilMs: number): Promise<void> => {
  while (schedule.nowMs < untilMs && (await schedule.grant()));
};

/** Records of a topic for one scored event, and bytes of key and value of one of them. */
const topicCounts = async (town: Town, name: string, payments: number): Promise<Counts> => {
  const records = (await readTopic(town, name)).flat();
  const bytes = records.reduce((sum, { key, value }) => sum + Buffer.byteLength(key ?? '') + (value?.length ?? 0), 0);
  return records.length === 0
    ? {}
    : { [`${name} records`]: records.length / payments, [`${name} bytes`]: bytes / records.length };
}; // prettier-ignore

export const countHotPath = async (world: World): Promise<Counts> => {
  const outside: Host = hostOf('outside');
  const dice = seededRandom(SEED);
  const schedule = new CountingSchedule(dice, START_MS, outside);
  const town = new Town(world, schedule, dice, outside, {
    pipeline: fraud,
    epochMarginMs: 10,
    epochsAheadMax: 20,
    marks: MARKS_DEFAULT,
    clocks: RIGHT,
    sessionMs: 6_000,
    runRecordsMax: 500,
  });
  runOn(schedule);
  const sent = eventsOf(world);
  const payments = sent.filter(({ stream }) => stream === fraud.scores).length;
  await town.open();
  town.start('feature');
  town.start('inference');
  await town.publish(sent);
  await pass(schedule, sent.at(-1)!.atMs + REST_MS);
  if (town.ended.length > 0) throw new Error(`a process has ended: ${town.ended.join(', ')}`);
  const requests = [...schedule.requests].map(([what, n]) => [`${what} requests`, (n * 1e6) / payments] as const);
  const counts: Record<string, number> = {
    'scored events': payments,
    'engine calls': (town.engine.calls * 1e6) / payments,
    ...Object.fromEntries(requests.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
  const topics = world.catalogue.filter(({ pipeline }) => pipeline === fraud.name);
  for (const { name } of topics) Object.assign(counts, await topicCounts(town, name, payments));
  runOn(undefined);
  return Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, Number(value.toPrecision(5))]));
}; // prettier-ignore
