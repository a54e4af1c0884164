/** The state that the feature service keeps, against an offline fold of the same events: byte for byte. */
import { compareOrder, compileSet, type EntityState, type FoldEvent, readEvent } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
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

/** Chunks by the key that the changelog has them under. */
export const foldedState = (ledger: Ledger): ReadonlyMap<string, string> => {
  const chunks = new Map<string, string>();
  const events = eventsOf(ledger);
  for (const stage of compileSet(fraud).stages) {
    const entities = new Map<string, EntityState>();
    for (const event of events) {
      if (!stage.streams.includes(event.stream)) continue;
      const entity = String(event.fields[stage.key]);
      const state = entities.get(entity) ?? stage.open();
      entities.set(entity, state);
      stage.fold(state, event);
    }
    for (const [entity, state] of entities)
      for (const [chunk, bytes] of state.dirtyChunks())
        if (bytes !== null)
          chunks.set(`${VIEW}${stage.key}\0${entity}\0${chunk}`, Buffer.from(bytes).toString('base64'));
  }
  return chunks;
};

export interface StateJudgement {
  /** Chunks that the fold has. */
  readonly chunks: number;
  /** Chunks that are missing, too many, or other bytes. */
  readonly different: number;
  readonly examples: readonly string[];
}

export const judgeState = (ledger: Ledger, lines: readonly StateLine[]): StateJudgement => {
  const folded = foldedState(ledger);
  const kept = new Map(lines.filter(({ key }) => key.startsWith(VIEW)).map(({ key, value }) => [key, value]));
  const keys = new Set([...folded.keys(), ...kept.keys()]);
  const different = [...keys].filter(key => folded.get(key) !== kept.get(key));
  return {
    chunks: folded.size,
    different: different.length,
    examples: different.slice(0, 3).map(key => {
      const why = !kept.has(key) ? 'missing' : folded.has(key) ? 'other bytes' : 'too many';
      return `state ${key.replaceAll('\0', '/')}: ${why}`;
    }),
  };
};
