/**
 * One key that receives 90 of 100 events: `node bench/src/state/hot.ts`. One process, no Kafka. The shipped feature set,
 * payments 5 s apart of one terminal, each labelled a week later; the others go to 1,000 terminals. By the number of
 * events: what an event costs, what the hot key's state takes, its largest chunk, and what is written for an event.
 */
import { compileSet, type EntityState, type FoldEvent } from '@millrace/features';
import { fraud } from '@millrace/pipelines';

const EVERY_MS = 5_000;
const LABEL_DELAY_MS = 7 * 86_400_000;
const FLUSH_EVERY = 200;
const STEP = 200_000;
const STEPS = 6;
const HOT = 'hot';

const set = compileSet(fraud);
const stage = set.stages.find(({ key }) => key === 'terminalId')!;
const terminalOf = (i: number): string => (i % 10 === 9 ? `t${(i * 48_271) % 1_000}` : HOT);

const eventOf = (i: number, stream: 'transactions' | 'labels'): FoldEvent => {
  const time = i * EVERY_MS;
  return {
    stream,
    eventId: `tx-${i}`,
    revision: 0,
    withdrawn: false,
    time,
    knownAt: stream === 'labels' ? time + LABEL_DELAY_MS : undefined,
    sequence: i,
    partition: 0,
    offset: i,
    fields: { terminalId: terminalOf(i), customerId: 'c', amount: 1, isFraud: i % 50 === 0 },
  };
};

const states = new Map<string, EntityState>();
const touched = new Set<EntityState>();
/** Chunks as they were last written, as the store of a task has them. */
const kept = new Map<string, Uint8Array>();
const written = { bytes: 0, largest: 0 };

const fold = (event: FoldEvent): void => {
  const id = event.fields['terminalId'] as string;
  let state = states.get(id);
  if (state === undefined) states.set(id, (state = stage.open(`${id}\0`)));
  state.expireBefore(event.time - 86_400_000);
  stage.fold(state, event);
  touched.add(state);
};

const flush = (): void => {
  for (const state of touched)
    for (const [key, bytes] of state.dirtyChunks(of => kept.get(of))) {
      if (bytes === null) kept.delete(key);
      else kept.set(key, bytes);
      written.bytes += bytes?.length ?? 0;
      written.largest = Math.max(written.largest, bytes?.length ?? 0);
    }
  touched.clear();
};

const labelLag = LABEL_DELAY_MS / EVERY_MS;
console.log(
  '| Events | Days | CPU µs an event | Hot key, MB | Largest chunk, bytes | Written, bytes an event |\n| --: | --: | --: | --: | --: | --: |',
);
for (let step = 0; step < STEPS; step++) {
  written.bytes = 0;
  const begun = process.cpuUsage();
  for (let i = step * STEP; i < (step + 1) * STEP; i++) {
    if (i >= labelLag) fold(eventOf(i - labelLag, 'labels'));
    fold(eventOf(i, 'transactions'));
    if (i % FLUSH_EVERY === 0) flush();
  }
  flush();
  const { user, system } = process.cpuUsage(begun);
  const events = (step + 1) * STEP;
  const days = (events * EVERY_MS) / 86_400_000;
  console.log(
    `| ${events} | ${days.toFixed(0)} | ${((user + system) / STEP).toFixed(1)} | ${(states.get(HOT)!.bytes / 1e6).toFixed(1)} | ${written.largest} | ${(written.bytes / STEP).toFixed(0)} |`,
  );
}
