/** The state that the feature service keeps, against an offline fold of the same events: byte for byte. */
import {
  AHEAD_MS_MAX,
  compareOrder,
  compileSet,
  type EntityState,
  type FoldEvent,
  readEvent,
} from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import type { Ledger } from '../rig/ledger.ts';

/** The newest value of a key of the changelog, as `read.py` gives it. */
export interface StateLine {
  readonly partition: number;
  readonly key: string;
  readonly value: string; // base64
}

const VIEW = 'view\0';

/** Every acknowledged event in the common order; labels only where their topic is an input. */
const eventsOf = (ledger: Ledger): readonly FoldEvent[] =>
  ledger.entries
    .flatMap(({ n, at }) => {
      const event = ledger.events.get(n);
      if (event === undefined || at === undefined) return [];
      const fields = event.value as unknown as Readonly<Record<string, unknown>>;
      return [readEvent(fraud, event.stream, fields, at.partition, at.offset)];
    })
    .sort(compareOrder);

const HOUR_MS = 3_600_000;

export interface FoldedState {
  /** Chunks by the key that the changelog has them under. */
  readonly chunks: ReadonlyMap<string, string>;
  /** Those that no event will need any more, so that the service may have let them go. */
  readonly expired: ReadonlySet<string>;
}

/** As the service lets go of them: by the newest event of a partition, in whole hours, less what events may be ahead. */
class Expiry {
  readonly #hours = new Map<number, number>();

  seen(partition: number, timeMs: number): number {
    const hours = Math.max(this.#hours.get(partition) ?? 0, Math.floor(timeMs / HOUR_MS));
    this.#hours.set(partition, hours);
    return this.of(partition);
  }

  of(partition: number): number {
    return (this.#hours.get(partition) ?? 0) * HOUR_MS - AHEAD_MS_MAX;
  }
}

export const foldedState = (ledger: Ledger): FoldedState => {
  const chunks = new Map<string, string>();
  const expired = new Set<string>();
  const events = eventsOf(ledger);
  for (const stage of compileSet(fraud).stages) {
    const entities = new Map<string, EntityState>();
    const expiry = new Expiry();
    const partitionOf = (entity: string): number => murmur2Partition(Buffer.from(entity), fraud.partitions);
    for (const event of events) {
      if (!stage.streams.includes(event.stream)) continue;
      const entity = String(event.fields[stage.key]);
      const state = entities.get(entity) ?? stage.open();
      entities.set(entity, state);
      state.expireBefore(expiry.seen(partitionOf(entity), event.time));
      stage.fold(state, event);
    }
    for (const [entity, state] of entities)
      for (const [chunk, bytes] of state.dirtyChunks()) {
        const key = `${VIEW}${stage.key}\0${entity}\0${chunk}`;
        if (bytes === null) continue;
        chunks.set(key, Buffer.from(bytes).toString('base64'));
        if (stage.neededUntil(chunk) <= expiry.of(partitionOf(entity))) expired.add(key);
      }
  }
  return { chunks, expired };
};

export interface StateJudgement {
  /** Chunks that the fold has. */
  readonly chunks: number;
  /** Chunks that are missing, too many, or other bytes. */
  readonly different: number;
  readonly examples: readonly string[];
}

export const judgeState = (ledger: Ledger, lines: readonly StateLine[]): StateJudgement => {
  const { chunks: folded, expired } = foldedState(ledger);
  const kept = new Map(lines.filter(({ key }) => key.startsWith(VIEW)).map(({ key, value }) => [key, value]));
  const keys = new Set([...folded.keys(), ...kept.keys()]);
  const different = [...keys].filter(
    key => folded.get(key) !== kept.get(key) && !(expired.has(key) && !kept.has(key)),
  );
  return {
    chunks: folded.size,
    different: different.length,
    examples: different.slice(0, 3).map(key => {
      const why = !kept.has(key) ? 'missing' : folded.has(key) ? 'other bytes' : 'too many';
      return `state ${key.replaceAll('\0', '/')}: ${why}`;
    }),
  };
};
