/**
 * What a redriven record carries besides its own headers. It lies on the `.aside` of the topic that it came from, so it
 * must say itself where it first stood, and how often it was sent again.
 */
export interface Redriven {
  /** The record as it first came: lineage and order go by these coordinates, not by those of the copy. */
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number };
  /** Times sent again, this one included. */
  readonly count: number;
}

export type HeaderPair = readonly [name: string, value: Uint8Array];

const PREFIX = '__redrive.';
const TOPIC = `${PREFIX}source.topic`;
const PARTITION = `${PREFIX}source.partition`;
const OFFSET = `${PREFIX}source.offset`;
const COUNT = `${PREFIX}count`;

export const isRedriveHeader = (name: string): boolean => name.startsWith(PREFIX);

export const redriveHeaders = ({ source, count }: Redriven): readonly HeaderPair[] => [
  [TOPIC, Buffer.from(source.topic)],
  [PARTITION, Buffer.from(String(source.partition))],
  [OFFSET, Buffer.from(String(source.offset))],
  [COUNT, Buffer.from(String(count))],
];

/** A whole number in a header, from 0 on. */
export const wholeIn = (bytes: Uint8Array | undefined): number | undefined => {
  const text = bytes === undefined ? '' : Buffer.from(bytes).toString();
  const value = /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
};

/** As Kafka lets a topic be called. */
const TOPIC_NAME = /^[\w.-]{1,249}$/;

/** The name of a topic in a header. */
export const topicIn = (bytes: Uint8Array | undefined): string | undefined => {
  const text = bytes === undefined ? '' : Buffer.from(bytes).toString();
  return TOPIC_NAME.test(text) ? text : undefined;
};

/** Reads them back; undefined where one is missing or is no number. Believe them on an `.aside` only: anybody may send headers. */
export const redrivenOf = (header: (name: string) => Uint8Array | undefined): Redriven | undefined => {
  const topic = topicIn(header(TOPIC));
  const [partition, offset, count] = [PARTITION, OFFSET, COUNT].map(name => wholeIn(header(name)));
  if (topic === undefined || partition === undefined || offset === undefined || count === undefined)
    return undefined;
  return { source: { topic, partition, offset }, count };
};
