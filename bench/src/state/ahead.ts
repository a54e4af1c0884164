/**
 * What is held while one partition could run days ahead of another: `node bench/src/state/ahead.ts`. One process, no Kafka.
 * Two partitions of a replay in slices of an hour, 60 records an hour each. One has all its days there at once, the other
 * gets an hour each time that the first has read all it may. Beside it the same without pauses.
 */
import { EPOCH_NONE, type Epoch, replayHistory, SourceCutter } from '@millrace/features';

const HOUR_MS = 3_600_000;
const PER_HOUR = 60;
const EPOCHS_AHEAD_MAX = 20;
/** A fetched run: it is taken whole before a pause has its effect. */
const RUN = 500;

interface Held {
  readonly rows: number;
  readonly hoursAhead: number;
}

/** One source task with two inputs that stand for the two partitions, and a last stage that releases what was closed. */
function mostHeld(days: number, paces: boolean): Held {
  const records = days * 24 * PER_HOUR;
  const history = replayHistory({ sliceMs: HOUR_MS, disorderMs: 0, until: records });
  const cutter = new SourceCutter<number>(
    { epochMs: 100, marginMs: 10, epochsAheadMax: EPOCHS_AHEAD_MAX, histories: [history, history] },
    [0, 0],
  );
  const position = [0, 0];
  const most = { rows: 0, hoursAhead: 0 };
  let released: Epoch = EPOCH_NONE;
  const read = (input: number, count: number): void => {
    const end = Math.min(records, position[input]! + count);
    for (let offset = position[input]!; offset < end; offset++)
      cutter.add(input, offset, 0, Math.floor((offset * HOUR_MS) / PER_HOUR), offset);
    position[input] = end;
  };
  const mayRead = (): boolean => !paces || !cutter.pace(released)[0]!;
  while (position[1]! < records) {
    while (position[0]! < records && mayRead()) read(0, RUN);
    most.rows = Math.max(most.rows, cutter.rowsHeld);
    most.hoursAhead = Math.max(most.hoursAhead, (position[0]! - position[1]!) / PER_HOUR);
    read(1, PER_HOUR);
    released = cutter.cut(0, cutter.head)?.closed ?? released;
  }
  return most;
}

console.log(
  '| Days that one could run ahead | Rows held | Hours ahead | Rows held without pauses |\n| --: | --: | --: | --: |',
);
for (const days of [1, 2, 7, 30, 90]) {
  const paced = mostHeld(days, true);
  const unpaced = mostHeld(days, false);
  console.log(`| ${days} | ${paced.rows} | ${Math.round(paced.hoursAhead)} | ${unpaced.rows} |`);
}
