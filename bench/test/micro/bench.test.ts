import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Row } from '../../../services/feature/src/row.ts';
import { commitOf } from '../../src/commit.ts';
import { customersOf } from '../../src/feature/pipeline.ts';
import { avroPieces } from '../../src/micro/avro.ts';
import { passedPayments } from '../../src/micro/passed.ts';
import { Meter } from '../../src/micro/piece.ts';
import type { MicroResult } from '../../src/micro/result.ts';
import { chunksWritten } from '../../src/micro/windows.ts';
import { runBench } from '../../src/program.ts';

/** No whole number of batches. */
const RECORDS = 1_234;
/** A machine that is busy with other tests may take as long. */
const LIMIT_MS = 300_000;

test(
  'every piece is measured in every round, and right',
  async () => {
    const [out, said] = [[] as string[], [] as string[]];
    const code = await runBench(
      ['micro', '--records', String(RECORDS), '--rounds', '2', '--output', 'json'],
      {
        environment: {},
        signal: new AbortController().signal,
        interactive: false,
        stdin: Readable.from([]),
        say: line => void said.push(line),
        out: line => void out.push(line),
        rewrite: () => undefined,
      },
    );
    const result = JSON.parse(out.at(-1)!) as MicroResult & { readonly commit?: string };
    expect(result.rounds.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
    expect(code).toBe(0);
    expect(result).toMatchObject({ bench: 'micro', records: RECORDS, correct: true });
    // Files may change beside a long test, so only the commit itself is the same.
    expect(result.commit?.replace('+', '')).toBe(commitOf()?.replace('+', ''));
    const names = [
      'batches written',
      'batches read',
      'event decoded',
      'event hashed',
      'vector located',
      'vector encoded by the codec',
      'vector written from its row',
      'windows of customers folded',
      'all windows of fraud folded',
      'chunks of state written',
      'feature service, one key',
      'inference service',
    ];
    expect(Object.keys(result.pieces)).toEqual(names);
    expect(result.rounds.map(({ piece }) => piece)).toEqual([...names, ...names, ...names]);
    expect(result.rounds.filter(({ us }) => !(us > 0))).toEqual([]);
    for (const name of names) {
      const { bestUs, medianUs } = result.pieces[name]!;
      expect(medianUs).toBeGreaterThanOrEqual(bestUs);
      expect(said.join('\n')).toMatch(
        new RegExp(`^${name} +${bestUs.toFixed(3)} +${medianUs.toFixed(3)}$`, 'm'),
      );
    }
  },
  LIMIT_MS,
);

test('what is not of its event is found wrong', async () => {
  const passed = passedPayments(20);
  const [first, ...others] = passed.rows;
  const verdictsOf = async (other: Partial<Row>): Promise<ReadonlyMap<string, string | undefined>> => {
    const rows = [{ ...first!, ...other }, ...others];
    const verdicts = new Map<string, string | undefined>();
    for (const piece of avroPieces({ ...passed, rows }, 20))
      verdicts.set(piece.name, await piece.round(new Meter()));
    return verdicts;
  };
  const event = { ...first!.event, fields: { ...first!.event.fields, amount: -1 } };
  expect((await verdictsOf({ event })).get('event decoded')).toBe(
    'record 0: the event is not the one that was encoded',
  );
  const late = await verdictsOf({ late: true });
  for (const piece of ['vector encoded by the codec', 'vector written from its row'])
    expect(late.get(piece)).toBe('record 0: the bytes are not those that the other way gives');
});

test(
  'state is whole in its chunks, whether they are written once or again',
  async () => {
    const piece = chunksWritten('any', customersOf(1), 11_000);
    expect(await piece.round(new Meter())).toBeUndefined();
  },
  LIMIT_MS,
);
