import type { Broker, PartitionOffset } from '@millrace/stream';

export const sumOf = (offsets: readonly PartitionOffset[]): number =>
  offsets.reduce((sum, { offset }) => sum + offset, 0);

/** Positions with the last `share` of each partition still to be read. */
export const lastShare = (ends: readonly PartitionOffset[], share: number): readonly PartitionOffset[] =>
  ends.map(end => ({ ...end, offset: Math.floor(end.offset * (1 - share)) }));

/** Reads everything once, so that it lies in the page cache. Returns the number of records. */
export const readOnce = async (broker: Broker, topic: string): Promise<number> => {
  let records = 0;
  const until = await broker.admin.endOffsets(topic);
  for await (const run of broker.read({ from: { topic, at: 'beginning' }, until })) records += run.length;
  return records;
};
