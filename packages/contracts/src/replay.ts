/**
 * What a replayed record carries besides its own headers: the run that wrote it again, and the record that it is a copy of.
 * Key and value are those of that record, so this is where it says that it is no live one.
 */
import type { Coordinates } from './letters.ts';
import type { HeaderPair } from './redrive.ts';

export interface Replayed {
  /** Id of the run. */
  readonly run: string;
  readonly source: Coordinates;
}

const PREFIX = '__replay.';
const RUN = `${PREFIX}run`;

/** What a part of a topic's name, a group's and a transactional id's may be. */
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** What stands in `runId` where there was no run. */
export const LIVE = 'live';
/** What the records that begin a schedule of nights have for an id, and the end of the group of its schedulers. */
export const SCHEDULE = 'schedule';
/** Names of ours: live answers, the group in which nights read what was put off, and that of their schedulers. */
const RESERVED: ReadonlySet<string> = new Set([LIVE, 'deferred', SCHEDULE]);

/** Whether a text can be the id of a run. */
export const isRunId = (text: string): boolean => RUN_ID.test(text) && !RESERVED.has(text);

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
  const run = bytes === undefined ? '' : Buffer.from(bytes).toString();
  return isRunId(run) ? run : undefined;
};
