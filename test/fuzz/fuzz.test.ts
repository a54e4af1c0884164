/** Some seconds of fuzzing, and proof that the judges see what they are to see. */
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runTarget } from './judge.ts';
import { inputOf } from './mutate.ts';
import { fuzzInChild } from './process.ts';
import { TARGETS } from './targets.ts';

const PLANTED = join(import.meta.dirname, 'planted.ts');
/** Counts, not times: what a slow machine does is the same. Those over the network take longer for each. */
const INPUTS: Readonly<Record<string, number>> = { registry: 200, ingest: 100 };
const LIMIT_MS = 120_000;
const SEED = 20_261_125;

test.each(Object.entries(TARGETS))(
  '%s answers whatever comes',
  async (name, open) => {
    const inputs = INPUTS[name] ?? 1_000;
    const target = await open();
    try {
      const ran = await runTarget(target, { seed: SEED, from: 0, inputs, stallMsMax: Infinity });
      expect([ran.found, ran.inputs]).toEqual([[], inputs]);
    } finally {
      await target.close?.();
    }
  },
  LIMIT_MS,
);

test('the same seed and number give the same input, others another', async () => {
  const target = await TARGETS['json']!();
  expect(inputOf(target, 1, 7)).toEqual(inputOf(target, 1, 7));
  const all = Array.from({ length: 200 }, (_, i) => Buffer.from(inputOf(target, 1, i)).toString('latin1'));
  expect(new Set(all).size).toBeGreaterThan(150);
  expect(Buffer.from(inputOf(target, 2, 7)).toString('latin1')).not.toBe(all[7]);
});

const fuzzPlanted = (name: string, silenceMsMax?: number) =>
  fuzzInChild(PLANTED, name, { seed: 1, from: 0, inputs: name === 'stalls' ? 30 : 300 }, silenceMsMax);

test.each([
  ['rejects', 'it is at fault'],
  ['stalls', 'it keeps the thread for'],
  ['leaks', 'the heap has grown by'],
  ['fills', 'the process ended'],
])(
  'a target that %s is found',
  async (name, what) => {
    const { found } = await fuzzPlanted(name);
    expect(found.map(one => one.what).join('\n')).toContain(what);
  },
  LIMIT_MS,
);

test(
  'a target that hangs is ended and found',
  async () => {
    const { found } = await fuzzPlanted('hangs', 3_000);
    expect(found.map(one => one.what).join('\n')).toContain('or hung');
  },
  LIMIT_MS,
);

test(
  'a target that only waits, and one that does nothing, are not',
  async () => {
    for (const name of ['waits', 'none']) expect([name, (await fuzzPlanted(name)).found]).toEqual([name, []]);
  },
  LIMIT_MS,
);
