import type { TopicPartition } from './port.ts';

/** What a member brings to a rebalance: who it is and what it owned, with the generation in which it owned it. */
export interface Candidate {
  readonly memberId: string;
  readonly generation: number;
  readonly owned: readonly TopicPartition[];
}

/**
 * Spreads the partitions of all topics over the members. Topics of equal partition count are co-partitioned: whoever
 * owns p of one owns p of all. Balanced to one per class of equal count, and sticky within that: a member keeps what
 * it owned as long as its share allows. The result depends on the arguments only, never on their order.
 * @param partitionCounts partitions per topic.
 */
export const assignCoPartitioned = (
  candidates: readonly Candidate[],
  partitionCounts: ReadonlyMap<string, number>,
): ReadonlyMap<string, readonly TopicPartition[]> => {
  const members = candidates.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const assigned = new Map<string, TopicPartition[]>(members.map(m => [m.memberId, []]));
  if (members.length === 0) return assigned;
  const load = new Map<string, number>(members.map(m => [m.memberId, 0]));
  for (const [count, topics] of classesOf(partitionCounts)) {
    for (const [memberId, tasks] of assignClass(members, topics, count, load)) {
      load.set(memberId, load.get(memberId)! + tasks.length);
      for (const partition of tasks.toSorted((a, b) => a - b))
        for (const topic of topics) assigned.get(memberId)!.push({ topic, partition });
    }
  }
  return assigned;
};

const classesOf = (
  partitionCounts: ReadonlyMap<string, number>,
): readonly (readonly [number, string[]])[] => {
  const classes = new Map<number, string[]>();
  for (const [topic, count] of partitionCounts) classes.set(count, [...(classes.get(count) ?? []), topic]);
  for (const topics of classes.values()) topics.sort();
  return [...classes].sort(([a], [b]) => a - b);
};

const assignClass = (
  members: readonly Candidate[],
  topics: readonly string[],
  count: number,
  load: ReadonlyMap<string, number>,
): ReadonlyMap<string, number[]> => {
  const claims = claimsOf(members, topics, count);
  const floor = Math.floor(count / members.length);
  let extras = count % members.length;
  const kept = new Map<string, number[]>();
  const byClaim = members.toSorted(
    (a, b) =>
      claims.get(b.memberId)!.length - claims.get(a.memberId)!.length ||
      load.get(a.memberId)! - load.get(b.memberId)!,
  );
  for (const { memberId } of byClaim) {
    const mine = claims.get(memberId)!;
    const mayKeepExtra = extras > 0 && mine.length > floor;
    if (mayKeepExtra) extras--;
    kept.set(memberId, mine.slice(0, floor + (mayKeepExtra ? 1 : 0)));
  }
  const taken = new Set([...kept.values()].flat());
  for (let task = 0; task < count; task++) {
    if (taken.has(task)) continue;
    const least = members.reduce((best, m) => lighter(m, best, kept, load));
    kept.get(least.memberId)!.push(task);
  }
  return kept;
};

const lighter = (
  a: Candidate,
  b: Candidate,
  kept: ReadonlyMap<string, readonly number[]>,
  load: ReadonlyMap<string, number>,
): Candidate => {
  const byClass = kept.get(a.memberId)!.length - kept.get(b.memberId)!.length;
  const byLoad = load.get(a.memberId)! - load.get(b.memberId)!;
  return (byClass === 0 ? byLoad : byClass) < 0 ? a : b;
};

// The newest claim wins where two members say that they owned a task: the older one is a returning zombie.
const claimsOf = (
  members: readonly Candidate[],
  topics: readonly string[],
  count: number,
): ReadonlyMap<string, number[]> => {
  const owner = new Map<number, Candidate>();
  for (const member of members)
    for (const { topic, partition } of member.owned) {
      if (partition >= count || !topics.includes(topic)) continue;
      const other = owner.get(partition);
      if (other === undefined || other.generation < member.generation) owner.set(partition, member);
    }
  const claims = new Map<string, number[]>(members.map(m => [m.memberId, []]));
  for (const [task, member] of [...owner].sort(([a], [b]) => a - b)) claims.get(member.memberId)!.push(task);
  return claims;
};
