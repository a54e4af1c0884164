/** How partitions and processes share the work. Pure. */

/** Share of all records that the busiest of so many processes has, partitions being dealt evenly. */
export const busiestShare = (partitions: number, processes: number, hotKeyShare = 0): number =>
  hotKeyShare + (1 - hotKeyShare) * (Math.ceil(partitions / processes) / partitions);

/** What sums of fractions may be off by. */
const SLACK = 1e-9;

export const isWithin = (share: number, part: number): boolean => share <= part + SLACK;

/**
 * Fewest processes of which the busiest stays within its part.
 * @param part what one process may have of all records, 0 to 1 and beyond
 * @returns undefined where one process for each partition is not enough
 */
export const fewestProcesses = (
  partitions: number,
  part: number,
  hotKeyShare: number,
): number | undefined => {
  for (let processes = 1; processes <= partitions; processes++)
    if (isWithin(busiestShare(partitions, processes, hotKeyShare), part)) return processes;
  return undefined;
};

/** Fewest partitions with which that can be; infinite where the hottest entity alone is too much. */
export const fewestPartitions = (part: number, hotKeyShare: number): number =>
  part <= hotKeyShare
    ? Number.POSITIVE_INFINITY
    : Math.max(1, Math.ceil((1 - hotKeyShare) / (part - hotKeyShare) - SLACK));

/** Partitions that the busiest successor takes over when one of so many processes is gone. A single one has a successor. */
export const takenOver = (partitions: number, processes: number): number =>
  processes === 1 ? partitions : Math.ceil(partitions / (processes - 1)) - Math.floor(partitions / processes);
