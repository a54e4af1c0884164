/** `millrace demo`: the main job, from events to rows, on a stack of its own, with an account that adds up. */
import { topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import { sinkGroup } from '@millrace/sink';
import { murmur2Partition } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { EXIT, type ExitCode, type Io, type OutputForm } from '../io.ts';
import { openPublisher } from '../publish/publisher.ts';
import { difference } from './account.ts';
import { type DemoResult, resultJson, summaryLines } from './summary.ts';
import { demoEvents, sendTraffic, type TrafficCounts } from './traffic.ts';
import { Watch } from './watch.ts';
import type { DemoWorld } from './world.ts';

export interface DemoOptions {
  readonly events: number;
  readonly seed: number;
  readonly rate: number;
  readonly output: OutputForm;
  readonly keep: boolean;
}

/** Events that are sent twice, and records that are no events, so that the account has all its sides. */
const DUPLICATES = 3;
const POISON = ['not Avro at all', '\u0000\u0000\u0000\u00ff\u00ffan id no registry knows'] as const;
const SETTLE_MS_MAX = 60_000;
const TICK_MS = 1_000;
const POLL_MS = 100;

/** What a careless producer writes straight to the topic. */
const sendHostile = async ({ world }: DemoWorld, pipeline: Pipeline, options: DemoOptions): Promise<void> => {
  const publisher = await openPublisher(world, pipeline);
  const producer = await world.broker.producer();
  try {
    // The newest ones: how far back a duplicate is known is counted in event time.
    const again = [...demoEvents(options.events, options.seed)]
      .filter(e => e.stream === 'transactions')
      .slice(-DUPLICATES);
    await publisher.publish(
      again.map(({ stream, value }) => ({
        stream,
        value: { revision: 0, withdrawn: false, lineage: null, ...value },
      })),
    );
    const key = Buffer.from('C000000');
    const topic = topicsOf(pipeline).scored;
    await producer.send(
      POISON.map(text => ({
        topic,
        partition: murmur2Partition(key, pipeline.partitions),
        key,
        value: Buffer.from(text, 'latin1'),
      })),
    );
  } finally {
    await publisher.close();
    await producer.close();
  }
};

const progressLine = (watch: Watch, counts: TrafficCounts, events: number): string => {
  const { latencies, ledger, decisions } = watch;
  const ms = (share: number): string => (latencies.count === 0 ? '-' : `${latencies.percentile(share)} ms`);
  return `sent ${counts.transactions}/${events}  scored ${ledger.account().scored}  p50 ${ms(0.5)}  p99 ${ms(0.99)}  blocked ${decisions['block'] ?? 0}`;
};

const storedRows = async (demo: DemoWorld, pipeline: Pipeline): Promise<number> => {
  try {
    const answer = await fetch(`${demo.sink}/v1/${pipeline.name}/summary`, {
      signal: AbortSignal.timeout(5_000),
    });
    return answer.ok ? ((await answer.json()) as { rows: number }).rows : -1;
  } catch {
    return -1; // the sink may be starting again; whoever asks comes back until the time is up
  }
};

/** On a stack that was there before, rows of others may be still to store: they are not counted among ours. */
const storedBefore = async (io: Io, demo: DemoWorld, pipeline: Pipeline): Promise<number> => {
  const { admin } = demo.world.broker;
  const topic = topicsOf(pipeline).predictions;
  const ends = (await admin.endOffsets(topic)).filter(({ offset }) => offset > 0);
  const end = systemClock.now() + SETTLE_MS_MAX;
  for (;;) {
    const stored = new Map(
      (await admin.committed(sinkGroup(pipeline), [topic])).map(at => [at.partition, at.offset]),
    );
    if (ends.every(({ partition, offset }) => (stored.get(partition) ?? 0) >= offset)) break;
    if (systemClock.now() > end) throw new Error(`what is on ${topic} already is not stored in time`);
    await systemClock.sleep(POLL_MS, io.signal);
  }
  return Math.max(0, await storedRows(demo, pipeline));
};

/** Waits until every input is answered and stored, or the time is up; the account says which. */
const settle = async (
  io: Io,
  demo: DemoWorld,
  pipeline: Pipeline,
  watch: Watch,
  rowsBefore: number,
): Promise<number> => {
  const end = systemClock.now() + SETTLE_MS_MAX;
  await watch.countInputs();
  for (;;) {
    await watch.countLetters();
    const account = watch.ledger.account();
    const rows = (await storedRows(demo, pipeline)) - rowsBefore;
    if (difference(account) === 0 && rows === account.scored + account.fallback) return rows;
    if (systemClock.now() > end) return rows;
    await systemClock.sleep(POLL_MS, io.signal);
  }
};

const showProgress = async (io: Io, signal: AbortSignal, line: () => string): Promise<void> => {
  while (!signal.aborted) {
    if (io.interactive) io.rewrite(`\r\u001b[K  ${line()}`);
    else io.say(`  ${line()}`);
    await systemClock.sleep(TICK_MS, signal).catch(() => undefined);
  }
  if (io.interactive) io.rewrite('\r\u001b[K');
  io.say(`  ${line()}`);
};

const runTraffic = async (
  io: Io,
  demo: DemoWorld,
  options: DemoOptions,
  watch: Watch,
  counts: TrafficCounts,
): Promise<number> => {
  const { clock } = demo.world;
  const rowsBefore = await storedBefore(io, demo, fraud);
  const over = new AbortController();
  const signal = AbortSignal.any([io.signal, over.signal]);
  const following = watch.follow(signal);
  const progress = showProgress(io, signal, () => progressLine(watch, counts, options.events));
  try {
    const { ingest, apiKey } = demo;
    const traffic = {
      ingest,
      apiKey,
      pipeline: fraud.name,
      events: options.events,
      seed: options.seed,
      rate: options.rate,
    };
    await Promise.race([sendTraffic({ ...traffic, clock, signal: io.signal }, counts), following]);
    await sendHostile(demo, fraud, options);
    return await settle(io, demo, fraud, watch, rowsBefore);
  } finally {
    over.abort(new Error('over'));
    await progress;
    await following.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
};

/** Runs the traffic against a world that is ready, and says how it went. Exit code 0 only when the account adds up. */
export const runDemo = async (io: Io, demo: DemoWorld, asked: DemoOptions): Promise<ExitCode> => {
  const watch = await Watch.begin(demo.world, fraud);
  // On a stack that has seen a demo, the same seed would send the same event ids: duplicates, every one.
  const options = { ...asked, seed: asked.seed + watch.inputsBefore };
  const counts: TrafficCounts = { transactions: 0, labels: 0 };
  io.say(`Sending ${options.events} simulated payments and their labels at ${options.rate}/s:`);
  const startedAt = systemClock.now();
  const rows = await runTraffic(io, demo, options, watch, counts);
  const account = watch.ledger.account();
  const scoredMs = Math.max(1, watch.lastAppendMs - watch.firstAppendMs);
  const result: DemoResult = {
    ...account,
    pipeline: fraud.name,
    stack: demo.way,
    rows,
    latencyMs: {
      p50: watch.latencies.percentile(0.5),
      p95: watch.latencies.percentile(0.95),
      p99: watch.latencies.percentile(0.99),
    },
    recordsPerSecond: Math.round((account.scored + account.fallback) / (scoredMs / 1000)),
  };
  const extras = {
    labels: counts.labels,
    decisions: watch.decisions,
    risky: watch.risky,
    seconds: (systemClock.now() - startedAt) / 1000,
    hints: demo.hints,
  };
  const lines = summaryLines(result, extras);
  if (options.output === 'json') {
    for (const line of lines) io.say(line);
    io.out(resultJson(result));
  } else for (const line of lines) io.out(line);
  const addsUp = difference(account) === 0 && rows === account.scored + account.fallback;
  return addsUp ? EXIT.done : EXIT.failed;
};
