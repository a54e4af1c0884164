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
const RUN = `${PREFIX}run`;

/** In which `replayRunIn` finds a run: for who looks at many records. */
export const REPLAY_RUN_HEADER = RUN;

export const isReplayHeader = (name: string): boolean => name.startsWith(PREFIX);

export const replayHeaders = ({ run, source }: Replayed): readonly HeaderPair[] => [
  [RUN, Buffer.from(run)],
  [`${PREFIX}source.topic`, Buffer.from(source.topic)],
  [`${PREFIX}source.partition`, Buffer.from(String(source.partition))],
  [`${PREFIX}source.offset`, Buffer.from(String(source.offset))],
];

/** Id of the run that wrote a record again; undefined where none did. */
export const replayRunOf = (header: (name: string) => Uint8Array | undefined): string | undefined => {
  const bytes = header(RUN);
  return bytes === undefined ? undefined : replayRunIn(bytes);
};

/** What the header of a run says; undefined where that is no run's id. */
export const replayRunIn = (bytes: Uint8Array): string | undefined => {
  const run = Buffer.from(bytes).toString();
  return isRunId(run) ? run : undefined;
};
