/**
 * Looks into the bytes of an ONNX file before an engine does: enough of the protobuf (field numbers from onnx.proto,
 * Apache-2.0) to know which operator domains it calls, and whether it would have the engine read other files. Only
 * length-delimited fields are entered, depth and count are limited, and hostile bytes give an error, never a long loop.
 */
export interface OnnxFacts {
  readonly irVersion: number;
  /** Operator set version by domain; the standard domain is the empty text. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Domains of all nodes, those of nested graphs and functions with them. */
  readonly domains: ReadonlySet<string>;
  /** Names of tensors whose values lie in another file. */
  readonly externalTensors: readonly string[];
}

export class NotOnnx extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotOnnx';
  }
}

const DEPTH_MAX = 32;
const FIELDS_MAX = 20_000_000;

interface Field {
  readonly number: number;
  /** Value of a varint; 0 for other kinds. */
  readonly varint: number;
  /** Bytes of a length-delimited field. */
  readonly bytes: Uint8Array | undefined;
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new NotOnnx('the file ends within a number');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new NotOnnx('a number of the file is too long');
  }
  #take(size: number): Uint8Array {
    if (!(size <= this.#bytes.length - this.#at)) throw new NotOnnx('the file ends within a field');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
  next(): Field {
    const tag = this.#varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        return { number, varint: this.#varint(), bytes: undefined };
      case 1:
        this.#take(8);
        return { number, varint: 0, bytes: undefined };
      case 2:
        return { number, varint: 0, bytes: this.#take(this.#varint()) };
      case 5:
        this.#take(4);
        return { number, varint: 0, bytes: undefined };
      default:
        throw new NotOnnx('the file holds a field of an unknown kind');
    }
  }
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

type Message = 'model' | 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse' | 'function' | 'training';

/** Which fields of a message hold messages that are entered too. */
const WITHIN: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
};

interface Found {
  irVersion: number;
  fields: number;
  readonly opsets: Map<string, number>;
  readonly domains: Set<string>;
  readonly externalTensors: string[];
}

const opset = (bytes: Uint8Array, found: Found): void => {
  let domain = '';
  let version = 0;
  for (const reader = new Reader(bytes); !reader.done;) {
    const field = reader.next();
    if (field.number === 1 && field.bytes !== undefined) domain = text(field.bytes);
    if (field.number === 2) version = field.varint;
  }
  found.opsets.set(domain, version);
};

const walk = (message: Message, bytes: Uint8Array, depth: number, found: Found): void => {
  if (depth > DEPTH_MAX) throw new NotOnnx('the file is nested too deeply');
  let domain = '';
  let name = '';
  let external = false;
  for (const reader = new Reader(bytes); !reader.done;) {
    if (++found.fields > FIELDS_MAX) throw new NotOnnx('the file holds too many fields');
    const field = reader.next();
    const inner = WITHIN[message][field.number];
    if (inner !== undefined && field.bytes !== undefined) walk(inner, field.bytes, depth + 1, found);
    if (message === 'model' && field.number === 1) found.irVersion = field.varint;
    if (message === 'model' && field.number === 8 && field.bytes !== undefined) opset(field.bytes, found);
    if (message === 'node' && field.number === 7 && field.bytes !== undefined) domain = text(field.bytes);
    if (message === 'tensor' && field.number === 8 && field.bytes !== undefined) name = text(field.bytes);
    // data_location EXTERNAL, or external_data given without it.
    if (message === 'tensor' && ((field.number === 14 && field.varint === 1) || field.number === 13))
      external = true;
  }
  if (message === 'node') found.domains.add(domain);
  if (external) found.externalTensors.push(name);
};

/** @throws NotOnnx when the bytes are no ONNX model */
export const inspectOnnx = (bytes: Uint8Array): OnnxFacts => {
  const found: Found = {
    irVersion: 0, fields: 0, opsets: new Map(), domains: new Set(), externalTensors: [],
  }; // prettier-ignore
  walk('model', bytes, 0, found);
  if (found.irVersion === 0 || found.opsets.size === 0) throw new NotOnnx('the file is no ONNX model');
  return found;
};
