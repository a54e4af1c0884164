import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { runBench } from '../src/program.ts';

const asked = async (...argv: readonly string[]) => {
  const said: string[] = [];
  const io = {
    environment: {},
    signal: new AbortController().signal,
    interactive: false,
    stdin: Readable.from([]),
    say: (line: string) => void said.push(line),
    out: () => undefined,
    rewrite: () => undefined,
  };
  return { code: await runBench(argv, io), said: said.join('\n') };
};

test.each([
  [['end-to-end', '--against', 'plain'], '--against is one of one-key'],
  [['latency', '--against', 'one-key'], '--against is one of plain, at-least-once'],
  [['feature', '--rounds', '11'], '--rounds may be 10 at most here'],
  [['feature', '--records', '0'], '--records needs a whole number above zero'],
  [['everything'], '--bench is one of'],
])('%p is called wrongly', async (argv, why) => {
  const { code, said } = await asked(...argv);
  expect(code).toBe(2);
  expect(said).toContain(why);
  expect(said).toContain('pnpm bench end-to-end');
});
