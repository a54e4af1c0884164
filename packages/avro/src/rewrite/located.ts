import { FRAME_BYTES } from '../frame.ts';
import { type Layout, layoutOf, type Point } from '../layout.ts';
import type { LoadedSchema, TypeView } from '../schema.ts';
import type { Step, Walk } from '../walk.ts';
import { isDrawn, type Meeting, sourcesOf } from './fields.ts';
import { inserting, ours } from './ours.ts';

/** What ours is put together from: bytes between two points of the writer's, or what a step writes that begins at one. */
interface Piece {
  readonly from: Point;
  /** Undefined where a step writes it. */
  readonly to: Point | undefined;
  readonly put: Step | undefined;
}

/** A function is put together for each of its parts: who hands us a schema of many hundreds gets none. */
const TYPES_MAX = 250;
const START: Point = { slot: 0, bytes: 0 };

class Pieces {
  readonly all: Piece[] = [];
  readonly #places: Layout['places'];
  readonly #meeting: Meeting;

  constructor({ places }: Layout, meeting: Meeting) {
    this.#places = places;
    this.#meeting = meeting;
  }

  /** Adds those of a record, which met. Records within it are taken apart as well. */
  add(writer: TypeView, reader: TypeView, path: string): void {
    for (const [i, source] of sourcesOf(writer, reader, this.#meeting)!.entries())
      if (isDrawn(source)) {
        const { name, type } = writer.fields![source.from]!;
        const at = path === '' ? name : `${path}.${name}`;
        const ofOurs = reader.fields![i]!.type;
        const isRecord = type.typeName === 'record' && ofOurs.typeName === 'record';
        const { start, end } = this.#places.get(at)!;
        if (source.move.isCopy) this.#copy(start, end);
        else if (isRecord) this.add(type, ofOurs, at);
        else this.all.push({ from: start, to: undefined, put: source.move.put });
      } else this.all.push({ from: START, to: undefined, put: inserting(source, this.#meeting.bytesMax) });
  }

  /** With what is copied before it, where it lies behind that. */
  #copy(from: Point, to: Point): void {
    const last = this.all.at(-1);
    const follows = last?.to?.slot === from.slot && last.to.bytes === from.bytes;
    if (follows) this.all[this.all.length - 1] = { ...last!, to };
    else this.all.push({ from, to, put: undefined });
  }
}

/**
 * Rewrites values whose parts are as they nearly always are: the writer's bytes are located as ours are, and ours put
 * together from them. False is no verdict: the value is to be rewritten in the checked way, from its beginning. Undefined
 * where they are no records, or very large ones.
 */
export const quickMove = (
  writer: LoadedSchema,
  reader: LoadedSchema,
  meeting: Meeting,
): ((w: Walk) => boolean) | undefined => {
  const [theirs, mine] = [writer.type as unknown as TypeView, reader.type as unknown as TypeView];
  if (theirs.typeName !== 'record' || mine.typeName !== 'record') return undefined;
  if (writer.checked(theirs).types > TYPES_MAX) return undefined;
  const layout = layoutOf(writer);
  const pieces = new Pieces(layout, meeting);
  pieces.add(theirs, mine, '');
  const { all } = pieces;
  const starts = new Int32Array(layout.slots);
  return w => {
    const { bytes } = w;
    if (!layout.quick(bytes, FRAME_BYTES, bytes.length, starts, 0)) return false;
    for (let i = 0; i < all.length; i++) {
      const { from, to, put } = all[i]!;
      const start = starts[from.slot]! + from.bytes;
      if (to !== undefined) ours.part(bytes, start, starts[to.slot]! + to.bytes);
      else {
        w.at = start;
        if (!put!(w)) return false;
      }
    }
    return true;
  };
};
