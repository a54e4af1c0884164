import avsc from 'avsc';
import type { Limits } from './limits.ts';
import { TextType } from './texts.ts';
import {
  blocks,
  boolean,
  bytesOf,
  fields,
  int,
  long,
  mapKey,
  nothing,
  oneOf,
  sized,
  type Step,
} from './walk.ts';

/** A schema that has been found harmless: its type, and the walk that checks bytes before the type reads them. */
export interface LoadedSchema {
  readonly type: avsc.Type;
  readonly walk: Step;
  readonly limits: Limits;
  /** What was found of a type within it. */
  readonly checked: (type: TypeView) => Checked;
}

/** Why a schema cannot be used. */
export class SchemaRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SchemaRefused';
  }
}

export interface Checked {
  readonly walk: Step;
  /** Types in it, each counted wherever it is used. */
  readonly types: number;
  /** Bytes of every value of it, where all are as long. */
  readonly width?: number | undefined;
  /** Whether a value of it can take no byte at all. */
  readonly zeroWidth: boolean;
}

export interface FieldView {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: TypeView;
  /** Undefined where it has none. */
  defaultValue(): unknown;
}

/** What we read of avsc's types; its own declarations leave these out or vary by kind. */
export interface TypeView {
  readonly typeName: string;
  readonly name?: string;
  /** Its further names, as whole as its name. */
  readonly aliases?: readonly string[];
  readonly fields?: readonly FieldView[];
  readonly types?: readonly TypeView[];
  readonly itemsType?: TypeView;
  readonly valuesType?: TypeView;
  readonly symbols?: readonly string[];
  /** The symbol that stands for those of a writer which an enum does not have. */
  readonly default?: string;
  readonly size?: number;
  readonly recordConstructor?: { prototype: object };
}

const FLOAT_BYTES = 4;
const DOUBLE_BYTES = 8;

/** Fields of fixed width that follow each other are one step: a vector of floats is checked at once. */
export const gathered = (
  named: readonly (readonly [string, Checked])[],
): readonly (readonly [string, Step])[] => {
  const parts: { readonly name: string; readonly walk: Step; readonly width: number | undefined }[] = [];
  for (const [name, { walk, width }] of named) {
    const last = parts.at(-1);
    if (last?.width === undefined || width === undefined) parts.push({ name, walk, width });
    else {
      const sum = last.width + width;
      parts[parts.length - 1] = { name: last.name, walk: bytesOf(sum), width: sum };
    }
  }
  return parts.map(({ name, walk }) => [name, walk]);
};

class SchemaCheck {
  readonly #limits: Limits;
  readonly #done = new Map<TypeView, Checked>();
  readonly #open = new Set<TypeView>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  check(type: TypeView): Checked {
    const known = this.#done.get(type);
    if (known !== undefined) return known;
    if (this.#open.has(type))
      throw new SchemaRefused(`the type '${type.name ?? type.typeName}' contains itself`);
    if (this.#open.size >= this.#limits.depthMax)
      throw new SchemaRefused(`it is nested deeper than ${this.#limits.depthMax} levels`);
    this.#open.add(type);
    const checked = this.#compound(type) ?? this.#leaf(type);
    this.#open.delete(type);
    if (checked.types > this.#limits.schemaTypesMax)
      throw new SchemaRefused(`it holds more than ${this.#limits.schemaTypesMax} types`);
    this.#done.set(type, checked);
    return checked;
  }

  #leaf(type: TypeView): Checked {
    const leaf = (walk: Step): Checked => ({ walk, types: 1, zeroWidth: false });
    const ofWidth = (width: number): Checked => ({
      walk: bytesOf(width),
      types: 1,
      width,
      zeroWidth: width === 0,
    });
    switch (type.typeName) {
      case 'null':
        return { walk: nothing, types: 1, zeroWidth: true };
      case 'boolean':
        return leaf(boolean);
      case 'int':
        return leaf(int);
      case 'long':
        return leaf(long);
      case 'float':
        return ofWidth(FLOAT_BYTES);
      case 'double':
        return ofWidth(DOUBLE_BYTES);
      case 'fixed':
        return ofWidth(type.size!);
      case 'bytes':
      case 'string':
        return leaf(sized(this.#limits));
      case 'enum':
        return leaf(
          oneOf(
            type.symbols!.map(() => nothing),
            'symbol',
          ),
        );
      default:
        throw new SchemaRefused(`it holds a type '${type.typeName}', which no topic carries`);
    }
  }

  #compound(type: TypeView): Checked | undefined {
    switch (type.typeName) {
      case 'record': {
        const named = type.fields!.map(field => [field.name, this.check(field.type)] as const);
        // Records become plain objects: no prototype of avsc's, no field that reads as a method.
        type.recordConstructor!.prototype = Object.prototype;
        return {
          walk: fields(gathered(named)),
          width: named.reduce<number | undefined>(
            (sum, [, { width }]) => (sum === undefined || width === undefined ? undefined : sum + width),
            0,
          ),
          types: named.reduce((sum, [, { types }]) => sum + types, 1),
          zeroWidth: named.every(([, { zeroWidth }]) => zeroWidth),
        };
      }
      case 'union:unwrapped':
      case 'union:wrapped': {
        const branches = type.types!.map(branch => this.check(branch));
        return {
          walk: oneOf(
            branches.map(({ walk }) => walk),
            'branch',
          ),
          types: branches.reduce((sum, { types }) => sum + types, 1),
          zeroWidth: false,
        };
      }
      case 'array': {
        const items = this.check(type.itemsType!);
        if (items.zeroWidth) throw new SchemaRefused('the items of an array take no bytes');
        return { walk: blocks(items.walk, this.#limits), types: items.types + 1, zeroWidth: false };
      }
      case 'map': {
        const values = this.check(type.valuesType!);
        const key = mapKey(this.#limits);
        const entry: Step = w => key(w) && values.walk(w);
        return { walk: blocks(entry, this.#limits), types: values.types + 1, zeroWidth: false };
      }
      default:
        return undefined;
    }
  }
}

/** avsc builds the full name of every type anew, with all of its namespace. */
const NAME_CHARS_MAX = 1_024;
const shortNames = (key: string, value: unknown): unknown => {
  if (typeof value === 'string' && value.length > NAME_CHARS_MAX && key !== 'doc' && key !== 'default')
    throw new SchemaRefused(`it holds a name of more than ${NAME_CHARS_MAX} characters`);
  return value;
};

/**
 * Reads a schema's text. Recursive types, items without bytes and whatever passes a limit are refused here, once, so
 * that no value can cost more than its bytes.
 * @throws SchemaRefused saying why
 */
export const loadSchema = (text: string, limits: Limits): LoadedSchema => {
  if (text.length > limits.schemaCharsMax)
    throw new SchemaRefused(`its text is longer than ${limits.schemaCharsMax} characters`);
  let type: avsc.Type;
  try {
    const json = JSON.parse(text, shortNames) as avsc.Schema;
    if (JSON.stringify(json).includes('__proto__')) throw new SchemaRefused("it uses the name '__proto__'");
    const registry = Object.create(null) as Record<string, avsc.Type>;
    registry['string'] = new TextType();
    type = avsc.Type.forSchema(json, { registry, omitRecordMethods: true });
  } catch (error) {
    if (error instanceof SchemaRefused) throw error;
    throw new SchemaRefused(`it is no Avro schema: ${(error as Error).message}`);
  }
  const check = new SchemaCheck(limits);
  const { walk } = check.check(type as unknown as TypeView);
  return { type, walk, limits, checked: part => check.check(part) };
};

/**
 * Why values of the writer's schema cannot be read with the reader's; undefined where they can.
 * @throws SchemaRefused when one of them is no usable schema
 */
export const cannotRead = (reader: string, writer: string, limits: Limits): string | undefined => {
  const [ours, theirs] = [loadSchema(reader, limits), loadSchema(writer, limits)];
  try {
    ours.type.createResolver(theirs.type);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};
