const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** Kafka's murmur2 (org.apache.kafka.common.utils.Utils.murmur2) of the bytes from `from` to `to` as a signed 32-bit number. */
export const murmur2 = (data: Uint8Array, from = 0, to = data.length): number => {
  let h = SEED ^ (to - from);
  let i = from;
  for (; i + 4 <= to; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> R;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  const left = to - i;
  if (left === 3) h ^= data[i + 2]! << 16;
  if (left >= 2) h ^= data[i + 1]! << 8;
  if (left >= 1) {
    h ^= data[i]!;
    h = Math.imul(h, M);
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
};

/** The partition that Kafka's default partitioner (Java client) gives a key. */
export const murmur2Partition = (key: Uint8Array, partitions: number, from = 0, to = key.length): number =>
  (murmur2(key, from, to) & 0x7fffffff) % partitions;
