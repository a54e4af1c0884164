import type avsc from 'avsc';
import { type Checked, type FieldView, gathered, type TypeView } from '../schema.ts';
import { fields, type Step } from '../walk.ts';
import { copying, copyOf, inserting, inTurn, type Move, ours } from './ours.ts';

/** What two types are met with. */
export interface Meeting {
  /** Of a value as ours, at most. */
  readonly bytesMax: number;
  /** What was found of a type of the writer. */
  readonly checked: (type: TypeView) => Checked;
  /** Undefined where values of the one are none of the other. */
  readonly meet: (writer: TypeView, reader: TypeView) => Move | undefined;
}

/** A field of ours that the writer has, too, and where. */
interface Drawn {
  readonly from: number;
  readonly move: Move;
}
/** Or the bytes of its default. */
export type Source = Drawn | Uint8Array;

export const isDrawn = (source: Source | undefined): source is Drawn =>
  source !== undefined && !(source instanceof Uint8Array);

const defaultOf = (field: FieldView): Uint8Array | undefined => {
  const value = field.defaultValue();
  return value === undefined ? undefined : (field.type as unknown as avsc.Type).toBuffer(value);
};

/** Undefined where a field of ours has no source, or two. */
export const sourcesOf = (
  writer: TypeView,
  reader: TypeView,
  { meet }: Meeting,
): readonly Source[] | undefined => {
  const theirs = writer.fields!;
  const places = new Map(theirs.map(({ name }, i) => [name, i]));
  const sources: Source[] = [];
  for (const field of reader.fields!) {
    const names = new Set([field.name, ...field.aliases]);
    const [from, second] = [...names].flatMap(name => places.get(name) ?? []);
    if (second !== undefined) return undefined;
    const move = from === undefined ? undefined : meet(theirs[from]!.type, field.type);
    const source = from === undefined ? defaultOf(field) : move && { from, move };
    if (source === undefined) return undefined;
    sources.push(source);
  }
  return sources;
};

/** Which of the writer's fields are passed with the one before: those that are copied with it, and those that nobody reads. */
const joinedOf = (count: number, sources: readonly Source[]): readonly boolean[] => {
  const uses = Array.from({ length: count }, () => 0);
  for (const source of sources) if (isDrawn(source)) uses[source.from]!++;
  const joined = uses.map((used, i) => used === 0 && uses[i - 1] === 0);
  for (const [k, source] of sources.entries()) {
    const before = sources[k - 1];
    if (!isDrawn(source) || !isDrawn(before) || source.from !== before.from + 1) continue;
    const isOnce = uses[source.from] === 1 && uses[before.from] === 1;
    joined[source.from] = isOnce && source.move.isCopy && before.move.isCopy;
  }
  return joined;
};

/** A part of ours: bytes of a default, or a piece of the writer's that is copied or rewritten. */
type Part = Uint8Array | { readonly piece: number; readonly put: Step; readonly isCopy: boolean };

interface Parts {
  /** Steps that pass one piece after the other, without writing anything. */
  readonly passes: readonly Step[];
  /** What is written, in our order. */
  readonly parts: readonly Part[];
}

const partsOf = (writer: TypeView, sources: readonly Source[], { checked }: Meeting): Parts => {
  const named = writer.fields!.map(({ name, type }) => [name, checked(type)] as const);
  const joined = joinedOf(named.length, sources);
  const firsts = [...named.keys()].filter(i => !joined[i]);
  const passes = firsts.map((first, k) => fields(gathered(named.slice(first, firsts[k + 1]))));
  const parts: Part[] = [];
  for (const source of sources) {
    const last = parts.at(-1);
    if (!isDrawn(source)) {
      if (last instanceof Uint8Array) parts[parts.length - 1] = Buffer.concat([last, source]);
      else parts.push(source);
    } else if (!joined[source.from]) {
      const piece = firsts.indexOf(source.from);
      const { isCopy, put } = source.move;
      const step = isCopy ? copying(passes[piece]!) : fields([[named[source.from]![0], put]]);
      parts.push({ piece, put: step, isCopy });
    }
  }
  return { passes, parts };
};

/** Where pieces come in our order, each is passed once. */
const inOrder = ({ passes, parts }: Parts, { bytesMax }: Meeting): Step => {
  const steps: Step[] = [];
  let next = 0;
  for (const part of parts)
    if (part instanceof Uint8Array) steps.push(inserting(part, bytesMax));
    else {
      steps.push(...passes.slice(next, part.piece), part.put);
      next = part.piece + 1;
    }
  return inTurn([...steps, ...passes.slice(next)]);
};

/** Where they do not, all are passed first. What is rewritten is walked over again for it, at most once for each level. */
const outOfOrder = ({ passes, parts }: Parts, { bytesMax }: Meeting): Step => {
  // No type contains itself, so no value of it is begun before another one has ended.
  const starts = new Int32Array(passes.length + 1);
  const puts = parts.map((part): Step => {
    if (part instanceof Uint8Array) return inserting(part, bytesMax);
    const { piece, put, isCopy } = part;
    return w => {
      w.at = starts[piece]!;
      if (!isCopy) return put(w);
      ours.part(w.bytes, w.at, starts[piece + 1]!);
      return true;
    };
  });
  return w => {
    for (let k = 0; k < passes.length; k++) {
      starts[k] = w.at;
      if (!passes[k]!(w)) return false;
    }
    const end = w.at;
    starts[passes.length] = end;
    for (let k = 0; k < puts.length; k++) if (!puts[k]!(w)) return false;
    w.at = end;
    return true;
  };
};

/** How records of a writer become ours; undefined where they cannot. */
export const fieldsMoved = (writer: TypeView, reader: TypeView, meeting: Meeting): Move | undefined => {
  const sources = sourcesOf(writer, reader, meeting);
  if (sources === undefined) return undefined;
  const pass = meeting.checked(writer).walk;
  const isCopy =
    sources.length === writer.fields!.length &&
    sources.every((source, i) => isDrawn(source) && source.from === i && source.move.isCopy);
  if (isCopy) return copyOf(pass);
  const parts = partsOf(writer, sources, meeting);
  const pieces = parts.parts.flatMap(part => (part instanceof Uint8Array ? [] : [part.piece]));
  const isInOrder = pieces.every((piece, i) => i === 0 || piece > pieces[i - 1]!);
  return { pass, put: isInOrder ? inOrder(parts, meeting) : outOfOrder(parts, meeting), isCopy: false };
};
