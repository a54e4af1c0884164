import type avsc from 'avsc';
import { kindOf, quickly, type QuickPart } from './quick.ts';
import type { LoadedSchema, TypeView } from './schema.ts';
import { bytesOf, fault, inField, safeLong, type Step, type Walk } from './walk.ts';

/** A point in the bytes of a value: so many bytes after where a slot says. */
export interface Point {
  readonly slot: number;
  readonly bytes: number;
}

/** Where a field lies, its end excluded. A record's fields follow each other, so where it ends the next begins. */
export interface Place {
  readonly start: Point;
  readonly end: Point;
  readonly type: avsc.Type;
}

/**
 * How the bytes of a record are divided: fields, and those of records within it, are found by path
 * (`features.amount`). Only where a field of variable length ends, a new slot is needed: what follows lies at fixed
 * distances from it.
 */
export interface Layout {
  /** Slots of one value. */
  readonly slots: number;
  readonly places: ReadonlyMap<string, Place>;
  /**
   * Checks the bytes of one value as a walk does, and notes from `base` on where each slot begins. False: the walk
   * holds the fault.
   */
  readonly locate: (w: Walk, starts: Int32Array, base: number) => boolean;
  /** The same of a value that may lie between others in the same bytes, and quicker. False is no verdict. */
  readonly quick: ReturnType<typeof quickly>;
}

interface Part {
  readonly name: string;
  readonly walk: Step;
}

/** Whatever reads a number beyond 2^53 refuses it: it must not be handed on either. */
const readable = (type: TypeView, walk: Step): Step => {
  if (type.typeName === 'long') return safeLong;
  const read = type as unknown as avsc.Type;
  if (!JSON.stringify(read.schema()).includes('"long"')) return walk;
  return w => {
    const start = w.at;
    if (!walk(w)) return false;
    try {
      read.fromBuffer(Buffer.from(w.bytes.buffer, w.bytes.byteOffset + start, w.at - start));
      return true;
    } catch {
      return fault(w, 'bad-value', 'a whole number is beyond 2^53');
    }
  };
};

class Drawing {
  readonly places = new Map<string, Place>();
  /** The steps before each further slot. */
  readonly parts: Part[] = [];
  readonly quick: QuickPart[] = [];
  readonly #schema: LoadedSchema;
  #fixedName = '';
  #fixedBytes = 0;

  constructor(schema: LoadedSchema) {
    this.#schema = schema;
  }

  get here(): Point {
    return { slot: this.parts.length, bytes: this.#fixedBytes };
  }

  draw(record: TypeView, path: string): void {
    for (const { name, type } of record.fields!) {
      const start = this.here;
      const at = path === '' ? name : `${path}.${name}`;
      if (type.typeName === 'record') this.draw(type, at);
      else this.#leaf(type, at);
      this.places.set(at, { start, end: this.here, type: type as unknown as avsc.Type });
    }
  }

  #leaf(type: TypeView, name: string): void {
    const { walk, width } = this.#schema.checked(type);
    if (width !== undefined) {
      if (this.#fixedBytes === 0) this.#fixedName = name;
      this.#fixedBytes += width;
      return;
    }
    const fixedBytes = this.#fixedBytes;
    const before = this.#fixed();
    const own = readable(type, walk);
    this.quick.push({ fixedBytes, kind: kindOf(type), walk: own });
    this.parts.push({ name, walk: before === undefined ? own : w => before(w) && own(w) });
  }

  /** Bytes of fixed length since the last slot, as one step. */
  #fixed(): Step | undefined {
    const bytes = this.#fixedBytes;
    this.#fixedBytes = 0;
    return bytes === 0 ? undefined : bytesOf(bytes);
  }

  /** What is left after the last slot. */
  rest(): Part | undefined {
    const walk = this.#fixed();
    return walk === undefined ? undefined : { name: this.#fixedName, walk };
  }
}

/** The layout of a record's schema. @throws TypeError where it is no record */
export const layoutOf = (schema: LoadedSchema): Layout => {
  const type = schema.type as unknown as TypeView;
  if (type.typeName !== 'record') throw new TypeError(`a ${type.typeName} has no fields`);
  const drawing = new Drawing(schema);
  drawing.draw(type, '');
  const { places } = drawing;
  const slots = drawing.parts.length + 1;
  const quick = quickly(drawing.quick, drawing.here.bytes, schema.limits.fieldBytesMax);
  const rest = drawing.rest();
  const parts = rest === undefined ? drawing.parts : [...drawing.parts, rest];
  const names = parts.map(({ name }) => name);
  const walks = parts.map(({ walk }) => walk);
  return {
    slots,
    places,
    quick,
    locate: (w, starts, base) => {
      starts[base] = w.at;
      for (let i = 0; i < walks.length; i++) {
        if (!walks[i]!(w)) return inField(w, names[i]!);
        if (i + 1 < slots) starts[base + i + 1] = w.at;
      }
      return true;
    },
  };
};
