/**
 * SHA-256 (FIPS 180-4) of four short messages at once, in the lanes of vector registers. Through OpenSSL the digest of a
 * prediction id's 60 bytes costs some 550 ns, nearly all of it the way there and back; so it costs 200
 * (`docs/decisions/four-digests.md`). The code is WebAssembly, which is put together here as it is described there.
 */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

export const LANES = 4;
export const BLOCK_BYTES = 64;
const WORD_BYTES = 4;
const VECTOR_BYTES = 16;
const STATE_WORDS = 8;
/** Of the message of one lane, with what is padded. */
export const LANE_BYTES = 1_024;
/** Behind a message: a byte, and its length in bits as 64 of them. */
export const PADDED_BYTES_MIN = 9;
export const PADDING = 0x80;
const STATE_AT = LANES * LANE_BYTES;
const ROUNDS = 64;
const SCHEDULE_WORDS = 16;

const primes = function* (): Generator<number, never> {
  for (let n = 2; ; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n && isPrime; d++) isPrime = n % d !== 0;
    if (isPrime) yield n;
  }
};

/** First 32 bits of the fraction of the root, of the first primes: exact in doubles, which have 52. */
const fractions = (count: number, root: (n: number) => number): readonly number[] =>
  primes()
    .take(count)
    .map(n => Math.floor((root(n) % 1) * 2 ** 32) | 0)
    .toArray();
const INITIAL = fractions(STATE_WORDS, Math.sqrt);
const CONSTANTS = fractions(ROUNDS, Math.cbrt);

type Code = readonly number[];

const leb = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
const signed = (value: number): number[] =>
  value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
const counted = (items: readonly Code[]): number[] => [...leb(items.length), ...items.flat()];
const sized = (code: Code): number[] => [...leb(code.length), ...code];

const simd = (opcode: number, ...rest: Code): Code => [0xfd, ...leb(opcode), ...rest];
const at = (offset: number, alignment: number): Code => [alignment, ...leb(offset)];
const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const XOR = simd(0x51);
const OR = simd(0x50);
const SELECT = simd(0x52); // Bits of the first where the third has them set, of the second elsewhere.
const ADD = simd(0xae);
const number = (n: number): Code => [0x41, ...signed(n)];
const shiftRight = (n: number): Code => [...number(n), ...simd(0xad)];
const shiftLeft = (n: number): Code => [...number(n), ...simd(0xab)];
/** Of two vectors that are the same. */
const SWAP_BYTES = simd(0x0d, ...Array.from({ length: VECTOR_BYTES }, (_, i) => i ^ 3));

const rotated = (local: number, by: number): Code => [
  ...get(local), ...shiftRight(by), ...get(local), ...shiftLeft(32 - by), ...OR,
]; // prettier-ignore
const sigma = (local: number, a: number, b: number, last: Code): Code => [
  ...rotated(local, a), ...rotated(local, b), ...XOR, ...last, ...XOR,
]; // prettier-ignore
const inAllLanes = (word: number): Code => {
  const bytes = [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24];
  return simd(0x0c, ...bytes, ...bytes, ...bytes, ...bytes);
};

// Locals: where the block begins, the eight working variables, the last sixteen words, and one for what is added twice.
const BLOCK = 0;
const variable = (i: number): number => 1 + (i % STATE_WORDS);
const word = (round: number): number => 1 + STATE_WORDS + (round % SCHEDULE_WORDS);
const SUM = 1 + STATE_WORDS + SCHEDULE_WORDS;
const VECTORS = SUM;

/** Word of the message: one of each lane, whose big end comes first. */
const loaded = (round: number): Code => [
  ...Array.from({ length: LANES }, () => get(BLOCK)).flat(),
  ...simd(0x5c, ...at(round * WORD_BYTES, 0)),
  ...[1, 2, 3].flatMap(lane => simd(0x56, ...at(lane * LANE_BYTES + round * WORD_BYTES, 0), lane)),
  ...set(word(round)),
  ...get(word(round)),
  ...get(word(round)),
  ...SWAP_BYTES,
];

const scheduled = (round: number): Code => [
  ...get(word(round)),
  ...sigma(word(round + 1), 7, 18, [...get(word(round + 1)), ...shiftRight(3)]),
  ...ADD,
  ...get(word(round + 9)),
  ...ADD,
  ...sigma(word(round + 14), 17, 19, [...get(word(round + 14)), ...shiftRight(10)]),
  ...ADD,
];

const round = (i: number): Code => {
  const [a, b, c, d, e, f, g, h] = Array.from({ length: STATE_WORDS }, (_, k) => variable(k + ROUNDS - i)) as [
    number, number, number, number, number, number, number, number,
  ]; // prettier-ignore
  return [
    ...(i < SCHEDULE_WORDS ? loaded(i) : scheduled(i)), ...set(word(i)),
    ...get(h), ...sigma(e, 6, 11, rotated(e, 25)), ...ADD,
    ...get(f), ...get(g), ...get(e), ...SELECT, ...ADD,
    ...inAllLanes(CONSTANTS[i]!), ...ADD, ...get(word(i)), ...ADD, ...set(SUM),
    ...get(d), ...get(SUM), ...ADD, ...set(d),
    ...get(SUM), ...sigma(a, 2, 13, rotated(a, 22)), ...ADD,
    // The majority: where two differ, the third decides.
    ...get(c), ...get(b), ...get(a), ...get(b), ...XOR, ...SELECT, ...ADD, ...set(h),
  ]; // prettier-ignore
};

const stateAt = (i: number): Code => at(STATE_AT + i * VECTOR_BYTES, 0);
const eachOfState = (code: (i: number) => Code): Code =>
  Array.from({ length: STATE_WORDS }, (_, i) => code(i)).flat();

const compressed: Code = [
  ...eachOfState(i => [...number(0), ...simd(0x00, ...stateAt(i)), ...set(variable(i))]),
  ...Array.from({ length: ROUNDS }, (_, i) => round(i)).flat(),
  ...eachOfState(i => [
    ...number(0), ...number(0), ...simd(0x00, ...stateAt(i)), ...get(variable(i)), ...ADD, ...simd(0x0b, ...stateAt(i)),
  ]), // prettier-ignore
];

const named = (name: string): number[] => sized([...Buffer.from(name)]);
const section = (id: number, items: readonly Code[]): Code => [id, ...sized(counted(items))];
const [I32, V128, FUNCTION, END] = [0x7f, 0x7b, 0x60, 0x0b];

const moduleBytes = (): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([
    ...Buffer.from('\0asm'), 1, 0, 0, 0,
    ...section(1, [[FUNCTION, ...counted([[I32]]), ...counted([])]]),
    ...section(3, [[0]]),
    ...section(5, [[0, 1]]), // One page of memory.
    ...section(7, [[...named('memory'), 2, 0], [...named('compress'), 0, 0]]),
    ...section(10, [sized([...counted([[...leb(VECTORS), V128]]), ...compressed, END])]),
  ]); // prettier-ignore

/** Of a message with what is padded. */
export const blocksOf = (length: number): number => Math.ceil((length + PADDED_BYTES_MIN) / BLOCK_BYTES);

/** The messages, and what is known of their digests. */
export class FourDigests {
  /** Of lane `i`, whose message begins at `i * LANE_BYTES`; it is padded by whoever writes it. */
  readonly bytes: Uint8Array;
  readonly #state: Int32Array;
  readonly #compress: (at: number) => void;
  static readonly #initial = Int32Array.from({ length: STATE_WORDS * LANES }, (_, i) => INITIAL[Math.floor(i / LANES)]!); // prettier-ignore

  constructor() {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
    const { buffer } = exports['memory'] as { readonly buffer: ArrayBuffer };
    this.bytes = new Uint8Array(buffer, 0, STATE_AT);
    this.#state = new Int32Array(buffer, STATE_AT, STATE_WORDS * LANES);
    this.#compress = exports['compress'] as (at: number) => void;
  }

  /** The last bytes of what is padded, before `end`. */
  putLength(length: number, end: number): void {
    this.bytes[end - 2] = length >> 5;
    this.bytes[end - 1] = length << 3;
  }

  /**
   * Digests the messages of the first lanes, which may have different lengths.
   * @param done told of each lane while `word` says its digest
   */
  digest(lanes: readonly { readonly blocks: number }[], taken: number, done: (lane: number) => void): void {
    this.#state.set(FourDigests.#initial);
    for (let n = 0, left = taken; left > 0; n++) {
      this.#compress(n * BLOCK_BYTES);
      for (let lane = 0; lane < taken; lane++)
        if (lanes[lane]!.blocks === n + 1) {
          done(lane);
          left--;
        }
    }
  }

  /** Word `i` of a lane's digest, whose message ends with the block taken last. */
  word(i: number, lane: number): number {
    return this.#state[i * LANES + lane]!;
  }
}
