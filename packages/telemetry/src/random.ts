import { randomInt } from 'node:crypto';

/** Randomness is handed in: uniform in [0, 1), with 48 random bits. Tests hand in a seeded one. */
export type Random = () => number;

const STEPS = 2 ** 48;

export const systemRandom: Random = () => randomInt(0, STEPS - 1) / STEPS;

/** Bytes of one random source, written as hex. */
export const randomHex = (random: Random, bytes: number): string =>
  Array.from({ length: bytes }, () =>
    Math.floor(random() * 256)
      .toString(16)
      .padStart(2, '0'),
  ).join('');
