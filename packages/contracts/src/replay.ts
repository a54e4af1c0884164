/**
 * What a replayed record carries besides its own headers: the run that wrote it again, and the record that it is a copy of.
 * Key and value are those of that record, so this is where it says that it is no live one.
 */
import type { Coordinates } from './letters.ts';
import type { HeaderPair } from './redrive.ts';
import { isRunId } from './runs.ts';

export interface Replayed {
  /** Id of the run. */
  readonly run: string;
  readonly source: Coordinates;
}

const PREFIX = '__replay.';
/** In which a replayed record says its run. */
export const REPLAY_RUN_HEADER = `${PREFIX}run`;

export const isReplayHeader = (name: string): boolean => name.startsWith(PREFIX);

export const replayHeaders = ({ run, source }: Replayed): readonly HeaderPair[] => [
  [REPLAY_RUN_HEADER, Buffer.from(run)],
  [`${PREFIX}source.topic`, Buffer.from(source.topic)],
  [`${PREFIX}source.partition`, Buffer.from(String(source.partition))],
  [`${PREFIX}source.offset`, Buffer.from(String(source.offset))],
];

/** Id of the run that wrote a record again, by that header; undefined where none did, or it holds no run's id. */
export const replayRunOf = (header: Uint8Array | undefined): string | undefined => {
  if (header === undefined) return undefined;
  const run = Buffer.from(header).toString();
  return isRunId(run) ? run : undefined;
};
