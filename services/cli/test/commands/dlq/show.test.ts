import { afterEach, describe, expect, test } from '@jest/globals';
import { fraud } from '@millrace/pipelines';
import { listLetters } from '../../../src/commands/dlq/list.ts';
import { parsePlace, showLetters } from '../../../src/commands/dlq/show.ts';
import type { Selection } from '../../../src/dlq/letters.ts';
import {
  again,
  badRecords,
  closeAll,
  LETTERS,
  openHere,
  PII,
  rejectAll,
  send,
  TOPIC,
} from '../../dlq/letterWorld.ts';
import { fakeIo } from '../../fakeIo.ts';

afterEach(closeAll);

describe('letters looked at', () => {
  test('list counts by reason, and tells how many were sent again', async () => {
    const world = await openHere();
    await send(world, [...badRecords(3), ...badRecords(1, 'key')]);
    await rejectAll(world, 4);
    await again(world, {}, { topic: TOPIC, reason: 'wrong-key' });
    const io = fakeIo();
    expect(await listLetters(io, world, [fraud], { topic: undefined, output: 'json' })).toBe(0);
    expect(JSON.parse(io.data[0]!)).toEqual([
      { topic: LETTERS, reason: 'bad-value', stage: 'feature fraud', letters: 3, redriven: 0, oldest: expect.any(Number), newest: expect.any(Number) },
      { topic: LETTERS, reason: 'wrong-key', stage: 'feature fraud', letters: 1, redriven: 1, oldest: expect.any(Number), newest: expect.any(Number) },
    ]);
    const table = fakeIo();
    await listLetters(table, world, [fraud], { topic: LETTERS, output: 'table' });
    expect(table.data[2]).toMatch(/^fraud\.transactions\.v1\.dlq {2}bad-value {2}feature fraud +3 +0 +\d+s +\d+s$/);
  }); // prettier-ignore

  test('show tells the reason and the place, and nothing personal unless it is asked for', async () => {
    const world = await openHere();
    await send(world, badRecords(2));
    await rejectAll(world, 2);
    const show = async (value: boolean, output: 'table' | 'json', selection: Selection) => {
      const io = fakeIo();
      const code = await showLetters(io, world, [fraud], selection, { limit: 20, value, output });
      return { code, text: io.data.join('\n'), said: io.said.join('\n') };
    };
    const { name, at } = parsePlace(`${LETTERS}:1:0`);
    for (const output of ['table', 'json'] as const) {
      const { code, text } = await show(false, output, { topic: name, ...at });
      expect([code, text]).toEqual([0, expect.stringContaining('bad-value')]);
      expect(text).toContain('customer');
      for (const secret of [PII, Buffer.from('v1').toString('base64')]) expect(text).not.toContain(secret);
    }
    const { text } = await show(true, 'json', { topic: name, ...at });
    expect(JSON.parse(text)).toMatchObject({
      topic: LETTERS,
      partition: 1,
      offset: 0,
      redriven: false,
      rejected: { topic: TOPIC, partition: 1, offset: 0 },
      redrivenBefore: 0,
      key: PII,
      base64: Buffer.from('v1').toString('base64'),
      unreadable: expect.stringContaining('frame'),
      headers: [['traceparent', '00-1'], ['customer', PII]],
    });
    expect((await show(false, 'json', { topic: TOPIC })).text.split('\n').length).toBe(2);
    const none = await show(false, 'table', { topic: TOPIC, partitions: [4] });
    expect([none.code, none.said]).toEqual([1, expect.stringContaining('millrace dlq list')]);
    expect(() => parsePlace('somewhere')).toThrow('TOPIC:PARTITION:OFFSET');
  }); // prettier-ignore

  test('what a producer calls its headers does not steer the terminal', async () => {
    const world = await openHere();
    await send(world, badRecords(1).map(record => ({ ...record, headers: [['\u001b[2Ja\rb', Buffer.from('c')]] as const }))); // prettier-ignore
    await rejectAll(world, 1);
    const io = fakeIo();
    await showLetters(io, world, [fraud], { topic: TOPIC }, { limit: 1, value: false, output: 'table' });
    expect(io.data.at(-1)).toBe('  its own headers: \\u001b[2Ja\\u000db');
  });
});
