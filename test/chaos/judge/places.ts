import type { Entry, Ledger } from '../rig/ledger.ts';

/** A record of an input topic, as `read.py` tells it. */
export interface InputLine {
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
}

/**
 * Says of each input where it lies, as the log has it: the first record of its id. Who sends over HTTP is not told, and
 * librdkafka, whose producer begins a new epoch after some faults, may send a record once more that lies in the log already,
 * and is told of the second. What was acknowledged and does not lie there has no place.
 * @returns how many lie elsewhere than their producer was told
 */
export const placeAll = (
  ledger: Pick<Ledger, 'entries'>,
  logs: ReadonlyMap<string, readonly InputLine[]>,
): number => {
  const first = new Map<string, InputLine>();
  for (const [topic, lines] of logs)
    for (const line of lines.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)) {
      const name = `${topic}/${line.id}`;
      if (!first.has(name)) first.set(name, line);
    }
  let moved = 0;
  for (const entry of ledger.entries) {
    if (entry.kind === 'again' || entry.kind === 'aborted') continue;
    const found = first.get(`${entry.topic}/${entry.id}`);
    if (entry.at !== undefined && !isAt(entry.at, found)) moved++;
    if (found === undefined) delete entry.at;
    else entry.at = { partition: found.partition, offset: found.offset };
  }
  return moved;
};

const isAt = (at: NonNullable<Entry['at']>, found: InputLine | undefined): boolean =>
  found !== undefined && at.partition === found.partition && at.offset === found.offset;
