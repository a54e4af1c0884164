/** Pairs of schemas, a writer's and the one that it has become since, and values of the writer. */
import fc from 'fast-check';

export type Schema = string | readonly Schema[] | { readonly [key: string]: unknown };

/** A type, how it changed, and its values. Names are given when it is drawn: each schema has a name once. */
interface Change {
  readonly draw: (name: (prefix: string) => string) => Drawn;
}
interface Drawn {
  readonly writer: Schema;
  readonly reader: Schema;
  readonly values: fc.Arbitrary<unknown>;
  /** In our schema, of a field that the writer does not have. */
  readonly fallback: unknown;
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const utf8 = text.map(value => Buffer.from(value));
const long = fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 53) + 2, max: 2 ** 53 - 2 }));
const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  null: fc.constant(null),
  boolean: fc.boolean(),
  int: fc.oneof(fc.integer(), fc.integer({ min: -70, max: 70 })),
  long,
  float: fc.float(),
  double: fc.double(),
  string: text,
  // They may be read as text.
  bytes: utf8,
};
const FALLBACKS: Readonly<Record<string, unknown>> = {
  null: null,
  boolean: true,
  int: -300,
  long: 2 ** 40,
  float: 0.5,
  double: -1.25,
  string: 'né',
  bytes: '\u0000\u00ff',
};
const PROMOTIONS: readonly (readonly [string, string])[] = [
  ['int', 'long'], ['int', 'float'], ['int', 'double'], ['long', 'float'], ['long', 'double'], ['float', 'double'],
  ['string', 'bytes'], ['bytes', 'string'],
]; // prettier-ignore

const leaf = fc
  .oneof(
    fc.constantFrom(...Object.keys(VALUES)).map(type => [type, type] as const),
    fc.constantFrom(...PROMOTIONS),
  )
  .map(([writer, reader]): Change => ({
    draw: () => ({ writer, reader, values: VALUES[writer]!, fallback: FALLBACKS[reader] }),
  })); // prettier-ignore

const fixed = fc.nat(5).map((size): Change => ({
  draw: name => {
    const schema = { type: 'fixed', name: name('F'), size: size + 1 };
    const values = fc.uint8Array({ minLength: size + 1, maxLength: size + 1 }).map(bytes => Buffer.from(bytes));
    return { writer: schema, reader: schema, values, fallback: '\u0007'.repeat(size + 1) };
  },
})); // prettier-ignore

const SYMBOLS = ['A', 'B', 'C', 'D', 'E'];
/** Without a symbol for the unknown ours has all of the writer's. */
const symbols = fc
  .tuple(
    fc.shuffledSubarray(SYMBOLS, { minLength: 1 }),
    fc.shuffledSubarray(SYMBOLS, { minLength: 1 }),
    fc.boolean(),
  )
  .map(([theirs, some, hasDefault]): Change => ({
    draw: name => {
      const of = { type: 'enum', name: name('E') };
      const all = hasDefault ? some : [...new Set([...some, ...theirs])];
      const reader = { ...of, symbols: all, ...(hasDefault && { default: all.at(-1) }) };
      const values = fc.constantFrom(...theirs);
      return { writer: { ...of, symbols: theirs }, reader, values, fallback: all[0] };
    },
  })); // prettier-ignore

/** Of null and another branch, which ours may have in another order, with a further one, or alone. */
const nullable = (of: fc.Arbitrary<Change>): fc.Arbitrary<Change> =>
  fc.record({ of, before: fc.constantFrom('none', 'first', 'last'), isFirst: fc.boolean(), more: fc.boolean() }).map(
    ({ of: change, before, isFirst, more }): Change => ({
      draw: name => {
        const { writer, reader, values, fallback } = change.draw(name);
        if (Array.isArray(reader) || writer === 'null') return { writer, reader, values, fallback };
        const extra = more ? [{ type: 'fixed', name: name('X'), size: 3 }] : [];
        const ours = isFirst ? ['null', ...extra, reader] : [reader, ...extra, 'null'];
        const theirs = { none: writer, first: ['null', writer], last: [writer, 'null'] }[before]!;
        const all = before === 'none' ? values : fc.option(values);
        return { writer: theirs, reader: ours, values: all, fallback: isFirst ? null : fallback };
      },
    }),
  ); // prettier-ignore

/** Keys of numbers come first in an object, wherever they stood. */
const key = text.filter(name => name !== '__proto__' && !/^\d+$/.test(name));
const listed = (of: fc.Arbitrary<Change>): fc.Arbitrary<Change> =>
  fc.tuple(of, fc.boolean()).map(([change, isMap]): Change => ({
    draw: name => {
      const { writer, reader, values } = change.draw(name);
      // Items must have bytes.
      const [theirs, ours] = isMap || writer !== 'null' ? [writer, reader] : ['int', 'int'];
      const items = theirs === writer ? values : fc.integer();
      return isMap
        ? {
            writer: { type: 'map', values: theirs },
            reader: { type: 'map', values: ours },
            values: fc.dictionary(key, items, { maxKeys: 3 }).map(map => ({ ...map })),
            fallback: {},
          }
        : {
            writer: { type: 'array', items: theirs },
            reader: { type: 'array', items: ours },
            values: fc.array(items, { maxLength: 3 }),
            fallback: [],
          };
    },
  })); // prettier-ignore

const field = (of: fc.Arbitrary<Change>) =>
  fc.record({
    of,
    state: fc.constantFrom('kept', 'kept', 'kept', 'added', 'dropped'),
    isRenamed: fc.boolean(),
    place: fc.integer({ min: 0, max: 3 }),
  });
type FieldChange = ReturnType<typeof field> extends fc.Arbitrary<infer T> ? T : never;

const fieldsOf = (changes: readonly FieldChange[], name: (prefix: string) => string) => {
  const all = changes.map(change => ({ ...change, ...change.of.draw(name), name: name('f') }));
  const theirs = all.filter(({ state }) => state !== 'added');
  const ours = all.filter(({ state }) => state !== 'dropped');
  return {
    theirs: theirs.map(({ name: own, writer }) => ({ name: own, type: writer })),
    // Places are often the same, so that many keep their order.
    ours: ours
      .toSorted((a, b) => a.place - b.place)
      .map(({ name: own, reader, state, isRenamed, fallback }) => ({
        ...(isRenamed ? { name: `${own}r`, aliases: [own] } : { name: own }),
        type: reader,
        ...(state === 'added' && { default: fallback }),
      })),
    values: Object.fromEntries(theirs.map(({ name: own, values }) => [own, values])),
    fallback: Object.fromEntries(
      ours.map(({ name: own, isRenamed, fallback }) => [isRenamed ? `${own}r` : own, fallback]),
    ),
  };
};

/** At least one field is kept, and has bytes: it may be the item of an array. */
const record = (of: fc.Arbitrary<Change>, maxLength: number): fc.Arbitrary<Change> =>
  fc.tuple(fc.array(field(of), { maxLength }), fc.boolean(), fc.boolean(), fc.boolean()).map(([changes, isRenamed, isFirst, wasFirst]): Change => ({
    draw: name => {
      const { theirs, ours, values, fallback } = fieldsOf(changes, name);
      const called = name('R');
      const kept = { name: 'kept', type: 'int' };
      return {
        writer: { type: 'record', name: called, fields: wasFirst ? [kept, ...theirs] : [...theirs, kept] },
        reader: {
          type: 'record',
          ...(isRenamed ? { name: `${called}r`, aliases: [called] } : { name: called }),
          fields: isFirst ? [kept, ...ours] : [...ours, kept],
        },
        values: fc.record({ ...values, kept: fc.integer() }),
        fallback: { ...fallback, kept: 5 },
      };
    },
  })); // prettier-ignore

const { root } = fc.letrec<{ root: Change; any: Change; deep: Change }>(tie => ({
  any: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf, leaf, leaf, fixed, symbols, nullable(tie('any')), listed(tie('any')), tie('deep'),
  ), // prettier-ignore
  deep: record(tie('any'), 4),
  root: record(tie('any'), 8),
}));

export interface Evolved {
  readonly writer: string;
  readonly reader: string;
  readonly value: unknown;
}

export const evolved: fc.Arbitrary<Evolved> = root.chain(change => {
  let names = 0;
  const { writer, reader, values } = change.draw(prefix => `${prefix}${names++}`);
  return values.map(value => ({ writer: JSON.stringify(writer), reader: JSON.stringify(reader), value }));
});
