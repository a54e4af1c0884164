import { FLOAT_BYTES, readFloat } from '../floats.ts';
import type { LoadedSchema, TypeView } from '../schema.ts';
import { blocks, bytesOf, mapKey, oneOf, readInt, type Step, varint, type Walk } from '../walk.ts';
import { fieldsMoved, type Meeting } from './fields.ts';
import { copying, copyOf, inserting, inTurn, type Move, ours } from './ours.ts';

/** Writer's type and ours, where the bytes of the one are those of the other. */
const SAME_BYTES = new Set(['int long', 'string bytes', 'bytes string']);

/** NaN is no fault in a float, so a step says by itself whether there is one. */
const aFloat = bytesOf(FLOAT_BYTES);
const floatWidened: Step = w => {
  const { at } = w;
  if (!aFloat(w)) return false;
  ours.double(readFloat(w.bytes, at));
  return true;
};

const asFloat = (n: number): void => ours.float(n);
const asDouble = (n: number): void => ours.double(n);
const number =
  (read: (w: Walk) => number, write: (n: number) => void): Step =>
  w => {
    const n = read(w);
    if (Number.isNaN(n)) return false;
    write(n);
    return true;
  };

const PROMOTIONS: Readonly<Record<string, Step>> = {
  'int float': number(readInt, asFloat),
  'int double': number(readInt, asDouble),
  'long float': number(varint, asFloat),
  'long double': number(varint, asDouble),
  'float double': floatWidened,
};

const typesOf = ({ typeName, types }: TypeView): readonly TypeView[] | undefined =>
  typeName.startsWith('union:') ? types : undefined;

/** Names count with their namespaces, as avsc has it. */
const isNamed = (reader: TypeView, { name }: TypeView): boolean =>
  name === undefined || reader.name === name || reader.aliases?.includes(name) === true;

/** A number as bytes: of a branch, or a symbol. */
const indexBytes = (index: number): Uint8Array => {
  ours.begin();
  ours.whole(index);
  return ours.copy();
};

export class Moves implements Meeting {
  readonly bytesMax: number;
  readonly checked: LoadedSchema['checked'];
  readonly #limits: LoadedSchema['limits'];
  /** A record that comes in many places is met once. */
  readonly #met = new Map<TypeView, Map<TypeView, Move | undefined>>();

  constructor({ checked, limits }: LoadedSchema, bytesMax: number) {
    this.checked = checked;
    this.bytesMax = bytesMax;
    this.#limits = limits;
  }

  readonly meet = (writer: TypeView, reader: TypeView): Move | undefined => {
    const branches = typesOf(writer);
    if (branches !== undefined) return this.#ofUnion(writer, branches, reader);
    const types = typesOf(reader);
    if (types !== undefined) return this.#intoUnion(writer, types);
    const { walk } = this.checked(writer);
    const pair = `${writer.typeName} ${reader.typeName}`;
    if (SAME_BYTES.has(pair)) return copyOf(walk);
    if (Object.hasOwn(PROMOTIONS, pair)) return { pass: walk, put: PROMOTIONS[pair]!, isCopy: false };
    return writer.typeName === reader.typeName ? this.#alike(writer, reader, walk) : undefined;
  };

  /** Of one kind. */
  #alike(writer: TypeView, reader: TypeView, pass: Step): Move | undefined {
    switch (reader.typeName) {
      case 'record':
        return isNamed(reader, writer) ? this.#record(writer, reader) : undefined;
      case 'enum':
        return isNamed(reader, writer) ? this.#symbols(writer, reader, pass) : undefined;
      case 'fixed':
        return isNamed(reader, writer) && reader.size === writer.size ? copyOf(pass) : undefined;
      case 'array':
        return this.#items(this.meet(writer.itemsType!, reader.itemsType!), pass, item => item);
      case 'map': {
        const key = mapKey(this.#limits);
        const values = this.meet(writer.valuesType!, reader.valuesType!);
        return this.#items(values, pass, value => inTurn([copying(key), value]));
      }
      default:
        return copyOf(pass);
    }
  }

  #record(writer: TypeView, reader: TypeView): Move | undefined {
    const met = this.#met.get(writer) ?? new Map<TypeView, Move | undefined>();
    this.#met.set(writer, met);
    if (!met.has(reader)) met.set(reader, fieldsMoved(writer, reader, this));
    return met.get(reader);
  }

  #symbols(writer: TypeView, reader: TypeView, pass: Step): Move | undefined {
    const symbols = reader.symbols!;
    const other = reader.default === undefined ? -1 : symbols.indexOf(reader.default);
    const places = writer.symbols!.map(symbol => symbols.indexOf(symbol)).map(i => (i === -1 ? other : i));
    if (places.includes(-1)) return undefined;
    if (places.every((place, i) => place === i)) return copyOf(pass);
    return { pass, put: oneOf(places.map(place => this.#index(place)), 'symbol'), isCopy: false }; // prettier-ignore
  }

  /** What is within a block changes its size: the size is left out. */
  #items(item: Move | undefined, pass: Step, entry: (put: Step) => Step): Move | undefined {
    if (item === undefined) return undefined;
    if (item.isCopy) return copyOf(pass);
    return { pass, put: blocks(entry(item.put), this.#limits, count => ours.whole(count)), isCopy: false };
  }

  /** Every branch must be readable, whichever a value has: so says avsc, and so does the registry. */
  #ofUnion(writer: TypeView, branches: readonly TypeView[], reader: TypeView): Move | undefined {
    const { walk } = this.checked(writer);
    const types = typesOf(reader);
    const moves: Move[] = [];
    const places: number[] = [];
    for (const branch of branches) {
      const [place, move] =
        types === undefined ? [-1, this.meet(branch, reader)] : this.#place(branch, types);
      if (move === undefined) return undefined;
      moves.push(move);
      places.push(place);
    }
    if (places.every((place, i) => place === i) && moves.every(({ isCopy }) => isCopy)) return copyOf(walk);
    const puts = moves.map(({ put }, i) => (types === undefined ? put : this.#behindIndex(places[i]!, put)));
    return { pass: walk, put: oneOf(puts, 'branch'), isCopy: false };
  }

  #intoUnion(writer: TypeView, types: readonly TypeView[]): Move | undefined {
    const [place, move] = this.#place(writer, types);
    return move && { pass: move.pass, put: this.#behindIndex(place, move.put), isCopy: false };
  }

  /** The first branch that can be read into. */
  #place(writer: TypeView, types: readonly TypeView[]): readonly [number, Move | undefined] {
    for (const [place, type] of types.entries()) {
      const move = this.meet(writer, type);
      if (move !== undefined) return [place, move];
    }
    return [-1, undefined];
  }

  #index(place: number): Step {
    return inserting(indexBytes(place), this.bytesMax);
  }

  #behindIndex(place: number, put: Step): Step {
    return inTurn([this.#index(place), put]);
  }
}
