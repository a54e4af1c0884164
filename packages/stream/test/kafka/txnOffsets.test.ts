import { expect, test } from '@jest/globals';
import type { Node, ProtocolRequest } from '../../src/kafka/internals.ts';
import { commitTxnOffsets, NO_MEMBER, type TxnOffsets } from '../../src/kafka/txnOffsets.ts';

const of: TxnOffsets = {
  transactionalId: 'tx',
  producerId: '258',
  producerEpoch: 7,
  group: 'gr',
  generation: 5,
  memberId: 'me',
  offsets: [
    { topic: 'a', partition: 1, offset: 513 },
    { topic: 'b', partition: 2, offset: 4 },
    { topic: 'a', partition: 3, offset: 9 },
  ],
};

/** Bytes of the request, and what becomes of it where the broker answers so. */
const asked = async (some: TxnOffsets, answer: string) => {
  let sent: Buffer | undefined;
  let said: ProtocolRequest['request'] | undefined;
  const send = async ({ request, response }: ProtocolRequest): Promise<unknown> => {
    said = request;
    sent = (await request.encode()).buffer;
    return response.parse(await response.decode(Buffer.from(answer, 'hex')));
  };
  const failed = await commitTxnOffsets({ connectionPool: { send } } as unknown as Node, some).catch(
    (error: unknown) => error as Error & { type: string },
  );
  return { hex: sent!.toString('hex'), said, type: failed?.type };
};

// Laid out by hand from https://kafka.apache.org/protocol: tags of the header, ids, member, null, topics.
const HEAD = `00 03${hex('tx')} 03${hex('gr')} 0000000000000102 0007`;
const ENTRY = (partition: string, offset: string) => `0000000${partition} ${offset} ffffffff 00 00`;
const TOPICS = `03 02${hex('a')} 03 ${ENTRY('1', '0000000000000201')} ${ENTRY('3', '0000000000000009')} 00 02${hex('b')} 02 ${ENTRY('2', '0000000000000004')} 00 00`;
const REFUSED = (...codes: readonly string[]): string =>
  `00 00000000 02 02${hex('a')} 0${codes.length + 1} ${codes.map((code, i) => `0000000${i} ${code} 00`).join(' ')} 00 00`;

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}
const bare = (spaced: string): string => spaced.replaceAll(' ', '');

test('says whose offsets they are, of which member and generation', async () => {
  const { hex: bytes, said, type } = await asked(of, bare(REFUSED('0000', '0000')));
  expect([said?.apiKey, said?.apiVersion, type]).toEqual([28, 3, undefined]);
  expect(bytes).toBe(bare(`${HEAD} 00000005 03${hex('me')} 00 ${TOPICS}`));
});

test('without a member says that there is none', async () => {
  const { hex: bytes } = await asked({ ...of, ...NO_MEMBER }, bare(REFUSED('0000')));
  expect(bytes).toBe(bare(`${HEAD} ffffffff 01 00 ${TOPICS}`));
});

test('is refused by the one code that is final', async () => {
  // 14: the coordinator is loading. 22: another generation has begun.
  expect((await asked(of, bare(REFUSED('0000', '000e')))).type).toBe('GROUP_LOAD_IN_PROGRESS');
  expect((await asked(of, bare(REFUSED('000e', '0016')))).type).toBe('ILLEGAL_GENERATION');
});
