import { hash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BLOCK_BYTES, FourDigests, LANE_BYTES, LANES } from '../src/sha256.ts';

const four = new FourDigests();

/** Digests in hex of four messages, of the same number of blocks. */
const digestsOf = (messages: readonly Uint8Array[]): readonly string[] => {
  const blocks = Math.ceil((messages[0]!.length + 9) / BLOCK_BYTES);
  for (const [i, message] of messages.entries()) {
    const lane = Buffer.from(four.bytes.buffer, i * LANE_BYTES, blocks * BLOCK_BYTES).fill(0);
    lane.set(message);
    lane[message.length] = 0x80;
    lane.writeUInt32BE(message.length * 8, lane.length - 4);
  }
  four.begin();
  for (let n = 0; n < blocks; n++) four.compress(n);
  const word = (lane: number) => (_: unknown, i: number) =>
    (four.word(i, lane) >>> 0).toString(16).padStart(8, '0');
  return messages.map((_, lane) => Array.from({ length: 8 }, word(lane)).join(''));
};

test('digests are those of the examples that came with FIPS 180-4', () => {
  const abc = Buffer.from('abc');
  const two = Buffer.from('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq');
  expect(digestsOf([abc, abc, abc, abc])).toEqual(
    Array(LANES).fill('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
  );
  expect(digestsOf([two, two, two, two])).toEqual(
    Array(LANES).fill('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'),
  );
});

test('each lane has the digest of its own message', () => {
  const message = fc
    .integer({ min: 0, max: LANE_BYTES - BLOCK_BYTES - 9 })
    .chain(length => fc.array(fc.uint8Array({ minLength: length, maxLength: length }), { minLength: LANES, maxLength: LANES })); // prettier-ignore
  fc.assert(
    fc.property(message, messages => {
      expect(digestsOf(messages)).toEqual(messages.map(one => hash('sha256', one, 'hex')));
    }),
  );
});
