import { checkApplied } from '../state/applied.ts';
import { restore } from '../state/restore.ts';
import type { StateStore } from '../state/store.ts';
import { acknowledgedCourier, type Courier, type SharedProducer } from './delivery.ts';
import type { Group, Setting } from './setting.ts';
import type { SharedTransactions } from './together.ts';
import { StateMismatch } from './trouble.ts';

export interface Acquired {
  readonly courier: Courier;
  /** Committed offsets by input topic; a topic without one is absent. */
  readonly committed: ReadonlyMap<string, number>;
}

export interface Acquisition<In, Out extends object> {
  readonly setting: Setting<In, Out>;
  readonly task: number;
  readonly generation: number;
  readonly member: Group;
  readonly shared: SharedProducer;
  readonly transactions: SharedTransactions;
  readonly store: StateStore | undefined;
  readonly signal: AbortSignal;
  /** Told what is waited for from now on. */
  readonly step: (what: string) => void;
  /** Told whenever restoring comes further. */
  readonly moved: () => void;
}

/**
 * Becomes the owner of a task, in the one order that is safe (kafka.md 1.4): prove membership, fence every earlier
 * owner, then read what it committed, then restore state to the end of what is written now, then compare the two.
 */
export async function acquire<In, Out extends object>(of: Acquisition<In, Out>): Promise<Acquired> {
  const { setting, task, member, signal, step } = of;
  step('the group to prove its membership');
  await member.heartbeat();
  signal.throwIfAborted();
  step('its transactional id (the fence)');
  const courier = await openCourier(of);
  try {
    signal.throwIfAborted();
    step('the committed offsets');
    const offsets = await setting.broker.admin.committed(setting.group, setting.topics, task);
    const committed = new Map(offsets.map(({ topic, offset }) => [topic, offset]));
    if (of.store !== undefined) await restoreChecked(of, of.store, committed);
    signal.throwIfAborted();
    return { courier, committed };
  } catch (error) {
    await courier.close();
    throw error;
  }
}

async function openCourier<In, Out extends object>(of: Acquisition<In, Out>): Promise<Courier> {
  const { setting, task, member, shared, transactions, generation } = of;
  if (setting.delivery !== 'exactly_once') return acknowledgedCourier(shared, member);
  const producer = await setting.broker.transactionalProducer(`tx.${setting.group}.${task}`);
  return transactions.courier(producer, generation);
}

async function restoreChecked<In, Out extends object>(
  of: Acquisition<In, Out>,
  store: StateStore,
  committed: ReadonlyMap<string, number>,
): Promise<void> {
  const { setting, task, signal } = of;
  const { broker, group, clock, metrics, logger, topics } = setting;
  of.step('its state to be restored');
  const startMs = clock.now();
  const reused = store.size > 0;
  const { moved } = of;
  const options = { broker, store, changelog: setting.changelog!, partition: task, clock, signal, moved };
  let restored = await restore(options);
  if (restored.emptied !== undefined)
    logger.warn({ task }, `the local state was not used: ${restored.emptied}`);
  try {
    checkApplied(store, topics, task, committed);
  } catch (error) {
    // While we read, an heir may have taken the task over and gone on: then there is nothing to be alarmed about.
    await of.member.heartbeat();
    if (!reused || !(error instanceof StateMismatch)) throw error;
    // What was kept here may be stale; only the changelog itself can raise the alarm.
    logger.warn({ task }, 'the local state does not fit what is committed: restoring it as a whole');
    await store.clear();
    restored = await restore(options);
    checkApplied(store, topics, task, committed);
  }
  metrics.observe('millrace_restore_seconds', { group }, (clock.now() - startMs) / 1000);
  logger.info({ task, ...restored, entries: store.size }, 'state restored');
}
