import { crc32 } from 'node:zlib';
import { UsageError } from '../io.ts';

const HASHES = 2 ** 32;

/** Part of all entities, from 0 (none) to 1, as people write it: `0.05`, `5%`, `1/20`. @throws UsageError where it is none */
export const sampleOf = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(%|\/(\d+(?:\.\d+)?))?$/.exec(text.trim());
  const [, value, unit, divisor] = match ?? [];
  const part = unit === undefined ? Number(value) : Number(value) / (unit === '%' ? 100 : Number(divisor));
  if (match === null || !(part > 0 && part <= 1))
    throw new UsageError(`--sample: '${text}' is no part of all entities; write 0.05, 5% or 1/20`);
  return part;
};

/**
 * Whether an entity is in a sample: by a hash of its name alone, so every run and every process chooses the same, and a
 * larger sample has all of a smaller one. @param entity its name, or the same as the bytes of a record's key
 */
export const isSampled = (entity: string | Uint8Array, part: number): boolean =>
  crc32(entity) < part * HASHES;
