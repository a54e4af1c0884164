/** Numbered records of a producer, against those that it was told were taken. */

/** As `read.py` tells it. */
export interface NumberLine {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

export interface NumbersJudgement {
  readonly lost: number;
  readonly doubled: number;
  /** Acknowledged records behind a later one of their key. */
  readonly reordered: number;
}

/** A send that failed may have been written all the same: such numbers are left out. */
export const judgeNumbers = (
  acknowledged: ReadonlySet<number>,
  lines: readonly NumberLine[],
): NumbersJudgement => {
  const seen = new Set<number>();
  const newest = new Map<string, number>();
  let doubled = 0;
  let reordered = 0;
  for (const { key, value } of [...lines].sort((a, b) => a.partition - b.partition || a.offset - b.offset)) {
    const n = Number(value);
    if (!acknowledged.has(n)) continue;
    if (seen.has(n)) {
      doubled++;
      continue;
    }
    seen.add(n);
    const before = newest.get(key) ?? -1;
    if (n < before) reordered++;
    newest.set(key, Math.max(before, n));
  }
  return { lost: [...acknowledged].filter(n => !seen.has(n)).length, doubled, reordered };
};
