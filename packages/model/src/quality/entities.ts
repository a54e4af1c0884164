/**
 * What an investigator who looks at `k` entities a day would find: "card precision" of the fraud literature (Le Borgne et
 * al., Reproducible Machine Learning for Credit Card Fraud Detection, chapter 4), over any entity.
 */
export interface EntityRow {
  /** Any number that orders days, e.g. days since 1970. */
  readonly day: number;
  readonly entity: string;
  readonly score: number;
  readonly truth: boolean;
}

interface Suspect {
  readonly entity: string;
  score: number;
  truth: boolean;
}

/** Highest first; the entity's id decides between equals, so that the same rows give the same list. */
const bySuspicion = (a: Suspect, b: Suspect): number => b.score - a.score || (a.entity < b.entity ? -1 : 1);

const suspectsOf = (rows: readonly EntityRow[], caught: ReadonlySet<string>): Suspect[] => {
  const suspects = new Map<string, Suspect>();
  for (const { entity, score, truth } of rows) {
    if (caught.has(entity)) continue;
    const known = suspects.get(entity);
    if (known === undefined) suspects.set(entity, { entity, score, truth });
    else {
      known.score = Math.max(known.score, score);
      known.truth ||= truth;
    }
  }
  return [...suspects.values()].sort(bySuspicion);
};

/**
 * For each day: of the `k` entities with the highest score, the share that had a true row that day; entities found on an
 * earlier day are left out. The mean over the days; undefined without rows.
 */
export const entityPrecisionAt = (
  rows: readonly EntityRow[],
  k: number,
): { readonly mean: number; readonly days: number } | undefined => {
  const byDay = [...Map.groupBy(rows, ({ day }) => day)].sort(([a], [b]) => a - b);
  if (byDay.length === 0) return undefined;
  const caught = new Set<string>();
  let sum = 0;
  for (const [, ofDay] of byDay) {
    const found = suspectsOf(ofDay, caught)
      .slice(0, k)
      .filter(({ truth }) => truth);
    sum += found.length / k;
    for (const { entity } of found) caught.add(entity);
  }
  return { mean: sum / byDay.length, days: byDay.length };
};
