/** Windows over simulated payments: folded, and their state written. */
import type { Pipeline } from '@millrace/define';
import {
  compileSet,
  type CompiledStage,
  type EntityState,
  type FoldEvent,
  foldInOrder,
} from '@millrace/features';
import { eventsOf, SIMULATION } from '../load/payments.ts';
import { isSame } from '../sheet.ts';
import { countedByHand } from './byHand.ts';
import { type Piece, RUN_RECORDS } from './piece.ts';

/** Payments of a round that are counted by hand. */
const COUNTED = 20;

const firstEvents = (pipeline: Pipeline, records: number, simulation = SIMULATION): readonly FoldEvent[] =>
  eventsOf(pipeline, simulation).take(records).toArray();

/** Folds events, payments and labels alike, and makes the vectors of the payments. */
export const windowsFolded = (
  name: string,
  pipeline: Pipeline,
  records: number,
  simulation = SIMULATION,
): Piece => ({
  name,
  round: async meter => {
    const events = firstEvents(pipeline, records, simulation);
    const set = compileSet(pipeline);
    const vectors: Float32Array[] = [];
    await meter.run(() => {
      for (const { values } of foldInOrder(set, events)) vectors.push(values);
    });
    const places = [...events.keys()].filter(at => events[at]!.stream === pipeline.scores);
    if (vectors.length !== places.length) return `${places.length} payments have ${vectors.length} vectors`;
    const every = Math.ceil(places.length / COUNTED);
    for (let i = places.length - 1; i >= 0; i -= every) {
      const byHand = countedByHand(events, places[i]!);
      for (const [column, of] of set.names.entries())
        if (of in byHand && !isSame(vectors[i]![column]!, byHand[of]!))
          return `${of} of payment ${i} is ${vectors[i]![column]}, and ${byHand[of]} by hand`;
    }
    return undefined;
  },
});

type Chunks = Map<string, Uint8Array>;

interface Kept {
  readonly state: EntityState;
  /** As a changelog has them. */
  readonly chunks: Chunks;
  newest: FoldEvent;
}

/** Whether state that is put together from its chunks answers the next event as the one in memory does. */
const isWhole = (stage: CompiledStage, { state, chunks, newest }: Kept): boolean => {
  const restored = stage.open();
  for (const [key, bytes] of chunks) restored.restoreChunk(key, bytes);
  const next = { ...newest, eventId: `after ${newest.eventId}`, sequence: newest.sequence + 1 };
  const [is, should] = [restored, state].map(one => stage.fold(one, next).values);
  return should !== undefined && should.every((value, i) => Object.is(value, is?.[i]));
};

/** Writes what events changed in the state of one stage, run by run. */
export const chunksWritten = (name: string, pipeline: Pipeline, records: number): Piece => ({
  name,
  round: async meter => {
    const stage = compileSet(pipeline).stages[0]!;
    const kept = new Map<string, Kept>();
    const touched = new Set<Kept>();
    const flush = async (): Promise<void> => {
      const written = await meter.run(() =>
        [...touched].map(({ state, chunks }) => ({
          chunks,
          changes: state.dirtyChunks(key => chunks.get(key)),
        })),
      );
      for (const { chunks, changes } of written)
        for (const [key, bytes] of changes)
          if (bytes === null) chunks.delete(key);
          else chunks.set(key, bytes);
      touched.clear();
    };
    for (const [i, event] of firstEvents(pipeline, records).entries()) {
      const entity = String(event.fields[stage.key]);
      let one = kept.get(entity);
      if (one === undefined)
        kept.set(entity, (one = { state: stage.open(), chunks: new Map(), newest: event }));
      stage.fold(one.state, event);
      one.newest = event;
      touched.add(one);
      if ((i + 1) % RUN_RECORDS === 0) await flush();
    }
    await flush();
    const broken = [...kept].find(([, one]) => !isWhole(stage, one));
    return broken === undefined ? undefined : `the state of ${broken[0]} is not whole in its chunks`;
  },
});
