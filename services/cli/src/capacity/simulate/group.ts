/**
 * Who serves which partition, as instances come and go. An instance is alive, or gone. One that was killed stays a member
 * until its session ends: until then nobody has its partitions, and no rebalance comes to its end. One that stops in
 * order says so. In a rebalance all stand still for a moment; a partition that moves waits for its new owner to take it
 * over and to restore its state.
 */
import { assignCoPartitioned } from '@millrace/stream';

export interface Pauses {
  /** How long a killed member keeps its partitions. */
  readonly sessionMs: number;
  /** Of partitions that stay where they are. */
  readonly rebalanceMs: number;
  /** Of one that moves, without restoring. */
  readonly takeoverMs: number;
  /** For each partition that an owner takes over; it restores them one after the other. */
  readonly restoreMsPerPartition: number;
}

export interface Change {
  readonly atMs: number;
  readonly instance: number;
  readonly what: 'killed' | 'stopped' | 'started';
}

const TOPIC = 'simulated';

export class Group {
  readonly #pauses: Pauses;
  readonly #owner: (number | undefined)[];
  readonly #stillUntilMs: Float64Array;
  readonly #alive = new Set<number>();
  /** Ends of the sessions of members that are gone. */
  readonly #unnoticed = new Map<number, number>();
  #wantsRebalance = false;

  constructor(partitions: number, instances: number, pauses: Pauses) {
    this.#pauses = pauses;
    this.#owner = Array.from({ length: partitions }, () => undefined);
    this.#stillUntilMs = new Float64Array(partitions);
    for (let i = 0; i < instances; i++) this.#alive.add(i);
    this.#assign();
  }

  apply({ atMs, instance, what }: Change): void {
    if (what === 'started') {
      this.#alive.add(instance);
      this.#wantsRebalance = true;
      return;
    }
    if (!this.#alive.delete(instance)) return;
    // Who comes back under this number is a new member.
    for (const [partition, owner] of this.#owner.entries())
      if (owner === instance) this.#owner[partition] = undefined;
    if (what === 'stopped') this.#wantsRebalance = true;
    else this.#unnoticed.set(instance, atMs + this.#pauses.sessionMs);
  }

  /** What has come due by now. */
  passTo(nowMs: number): void {
    for (const [instance, endMs] of this.#unnoticed)
      if (endMs <= nowMs) {
        this.#unnoticed.delete(instance);
        this.#wantsRebalance = true;
      }
    if (!this.#wantsRebalance || this.#unnoticed.size > 0) return;
    this.#wantsRebalance = false;
    this.#rebalance(nowMs);
  }

  /** Partitions that each instance works on now. */
  working(nowMs: number): ReadonlyMap<number, readonly number[]> {
    const found = new Map<number, number[]>();
    for (const [partition, owner] of this.#owner.entries()) {
      if (owner === undefined || this.#stillUntilMs[partition]! > nowMs) continue;
      const partitions = found.get(owner);
      if (partitions === undefined) found.set(owner, [partition]);
      else partitions.push(partition);
    }
    return found;
  }

  #rebalance(nowMs: number): void {
    const before = [...this.#owner];
    this.#assign();
    const { rebalanceMs, takeoverMs, restoreMsPerPartition } = this.#pauses;
    const moved = new Map<number, number>();
    for (const [partition, owner] of this.#owner.entries()) {
      let pauseMs = rebalanceMs;
      if (owner !== undefined && owner !== before[partition]) {
        moved.set(owner, (moved.get(owner) ?? 0) + 1);
        pauseMs = takeoverMs + restoreMsPerPartition * moved.get(owner)!;
      }
      this.#stillUntilMs[partition] = Math.max(this.#stillUntilMs[partition]!, nowMs + pauseMs);
    }
  }

  /** By the assignor of the services. */
  #assign(): void {
    const idOf = (instance: number): string => String(instance).padStart(6, '0');
    const owned = (instance: number) =>
      [...this.#owner.entries()]
        .filter(([, owner]) => owner === instance)
        .map(([partition]) => ({ topic: TOPIC, partition }));
    const candidates = [...this.#alive].map(instance => ({ memberId: idOf(instance), generation: 1, owned: owned(instance) }));
    const assigned = assignCoPartitioned(candidates, new Map([[TOPIC, this.#owner.length]]));
    this.#owner.fill(undefined);
    for (const [memberId, partitions] of assigned)
      for (const { partition } of partitions) this.#owner[partition] = Number(memberId);
  } // prettier-ignore
}
