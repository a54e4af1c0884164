/** Hostile inputs from good ones; a seed decides, so that each can be made again. */
import { seededRandom } from '@millrace/pipelines';
import type { Target } from './target.ts';

type Random = () => number;
type Mutation = (bytes: Buffer, random: Random, target: Target) => Buffer;

const STEPS_MAX = 8;
const TELLING_BYTES = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, 0x22, 0x5b, 0x5d, 0x7b, 0x7d, 0x2c, 0x0a, 0x5c];
/** Lengths and counts at the edges of what numbers hold, as Avro, protobuf and Kafka write them. */
const TELLING_NUMBERS = [
  'ffffffff0f', 'ffffffffffffffffff01', 'feffffff0f', '808080808080808080807f', '8080808010', '7fffffff', 'ffffffff', '80000000', '00000000',
].map(hex => Buffer.from(hex, 'hex')); // prettier-ignore

const below = (random: Random, n: number): number => Math.floor(random() * n);
const oneOf = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)]!;
const span = (random: Random, length: number): readonly [number, number] => {
  const from = below(random, length + 1);
  // Short ones mostly: a change of everything is noise.
  return [from, Math.min(length, from + 1 + Math.floor(random() ** 4 * length))];
};
const replaced = (bytes: Buffer, [from, to]: readonly [number, number], by: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)]);

const setByte: Mutation = (bytes, random) => {
  if (bytes.length === 0) return bytes;
  const changed = Buffer.from(bytes);
  const at = below(random, changed.length);
  changed[at] = random() < 0.5 ? oneOf(random, TELLING_BYTES) : changed[at]! ^ (1 << below(random, 8));
  return changed;
};
const cut: Mutation = (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1));
const remove: Mutation = (bytes, random) => replaced(bytes, span(random, bytes.length), Buffer.alloc(0));
const noise: Mutation = (bytes, random) => {
  const some = Buffer.from(Array.from({ length: 1 + below(random, 16) }, () => below(random, 256)));
  const at = below(random, bytes.length + 1);
  return replaced(bytes, [at, random() < 0.5 ? at : Math.min(bytes.length, at + some.length)], some);
};
const number: Mutation = (bytes, random) => {
  const value = oneOf(random, TELLING_NUMBERS);
  const at = below(random, bytes.length + 1);
  return replaced(bytes, [at, random() < 0.5 ? at : Math.min(bytes.length, at + value.length)], value);
};
const word: Mutation = (bytes, random, { words }) => {
  if (words === undefined) return bytes;
  const at = below(random, bytes.length + 1);
  const text = Buffer.from(oneOf(random, words));
  return replaced(bytes, [at, random() < 0.5 ? at : Math.min(bytes.length, at + text.length)], text);
};
const repeat: Mutation = (bytes, random, { bytesMax }) => {
  const [from, to] = span(random, Math.min(bytes.length, 256));
  const part = bytes.subarray(from, to);
  if (part.length === 0) return bytes;
  const most = Math.floor(bytesMax / part.length);
  const times = 1 + Math.floor(random() ** 6 * most);
  return replaced(bytes, [to, to], Buffer.alloc(part.length * times, part));
};
const splice: Mutation = (bytes, random, { samples }) => {
  const other = Buffer.from(oneOf(random, samples));
  return Buffer.concat([
    bytes.subarray(0, below(random, bytes.length + 1)),
    other.subarray(below(random, other.length + 1)),
  ]);
};

const MUTATIONS: readonly Mutation[] = [
  setByte,
  setByte,
  noise,
  number,
  word,
  word,
  remove,
  cut,
  repeat,
  splice,
];

/** The input with this number under this seed. */
export const inputOf = (target: Target, seed: number, index: number): Uint8Array => {
  const source = seededRandom((Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0);
  const random: Random = () => source.next();
  let bytes: Buffer = Buffer.from(oneOf(random, target.samples));
  const steps = 1 + below(random, STEPS_MAX);
  for (let i = 0; i < steps; i++) bytes = oneOf(random, MUTATIONS)(bytes, random, target);
  return new Uint8Array(bytes.subarray(0, target.bytesMax));
};
