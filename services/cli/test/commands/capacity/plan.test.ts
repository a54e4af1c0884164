import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../../src/program.ts';
import { type FakeIo, fakeIo } from '../../fakeIo.ts';

let folder: string;
let unmeasured: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-capacity-'));
  unmeasured = join(folder, 'unmeasured.json');
  const source = { command: 'nobody has measured it', date: '-', machine: '-' };
  writeFileSync(
    unmeasured,
    JSON.stringify({ coefficients: { 'sink.usPerRecord': { value: null, unit: 'µs', source } } }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const called = async (...argv: readonly string[]): Promise<FakeIo & { code: number }> => {
  const io = fakeIo();
  const code = await runProgram(['capacity', ...argv], io);
  return { ...io, code };
};

describe('millrace capacity', () => {
  test('prints what it takes, and what nobody has measured', async () => {
    const { code, data, said } = await called('--rate', '1000', '--peak', '3000', '--keys', '50000', '--coefficients', unmeasured);
    expect(code).toBe(0);
    const text = data.join('\n');
    for (const words of [/^feature +1 +/m, /^inference +1 +/m, /^sink +not measured/m, /^Partitions: 6 \(/m, /^p99: /m, /^State: /m, /^Bottleneck: feature/m])
      expect(text).toMatch(words);
    expect(said.join('\n')).toContain('not measured: sink.usPerRecord');
  }); // prettier-ignore

  test('as JSON: unknown figures are null, and each coefficient has its source', async () => {
    const { data } = await called('plan', '--rate', '1000', '--output', 'json', '--coefficients', unmeasured);
    const said = JSON.parse(data[0]!) as {
      wish: object;
      services: { service: string; coresPeak: number | null }[];
      coefficients: Record<string, { source: { command: string } }>;
    };
    expect(said.wish).toMatchObject({ pipeline: 'fraud', rate: 1_000, peak: 1_000, commitIntervalMs: 25, labelsPerEvent: 1 });
    expect(said.services.map(({ service, coresPeak }) => [service, coresPeak === null])).toEqual([
      ['feature', false],
      ['inference', false],
      ['sink', true],
    ]);
    expect(said.coefficients['inference.usPerRecord']!.source.command).not.toBe('');
  }); // prettier-ignore

  test('a wish that cannot be met is refused with the reason, as JSON too', async () => {
    const wish = ['--rate', '1000', '--services', 'inference', '--p99', '20'];
    const asTable = await called(...wish);
    expect(asTable.code).toBe(1);
    expect(asTable.data).toEqual([]);
    expect(asTable.said.join('\n')).toMatch(/^refused: p99 of 20 ms .*commit interval/);
    const asJson = await called(...wish, '--output', 'json');
    expect(asJson.code).toBe(1);
    expect((JSON.parse(asJson.data[0]!) as { refusals: object[] }).refusals).toHaveLength(1);
  });

  test("figures of one's own are taken, and a faster machine needs less", async () => {
    const file = join(folder, 'own.json');
    const source = { command: 'a command', date: '2026-11-29', machine: 'mine' };
    const own = { 'feature.usPerRecordAndKey': 500, 'feature.usPerAggregation': 3 };
    const coefficients = Object.fromEntries(
      Object.entries(own).map(([name, value]) => [name, { value, unit: 'µs', source }]),
    );
    writeFileSync(file, JSON.stringify({ coefficients }));
    const rateMax = async (...more: readonly string[]): Promise<number> => {
      const { data } = await called('--rate', '10', '--services', 'feature', '--output', 'json', ...more);
      const { services } = JSON.parse(data[0]!) as { services: { rateMaxPerProcess: number }[] };
      return services[0]!.rateMaxPerProcess;
    };
    expect(await rateMax('--coefficients', file)).toBeCloseTo(1e6 / (2 * 500 + 12 * 3), 6);
    expect((await rateMax('--scale', '2')) / (await rateMax())).toBeCloseTo(2, 9);
  });

  test.each([
    [[], /--rate/],
    [['--rate', '0'], /a number above zero/],
    [['--rate', '10', '--peak', '5'], /--peak: 5 is below --rate, 10/],
    [['--rate', '10', '--services', 'feature,everything'], /services are feature, inference, sink/],
    [['--rate', '10', '--load', '1'], /below 1/],
    [['--rate', '10', '--hot-key', '2'], /a share of 0 to 1/],
    [['--rate', '10', '--pipeline', 'credit'], /--model-us is needed: nobody has measured the model credit/],
    [['--rate', '10', '--coefficients', '/nonexistent'], /--coefficients: \/nonexistent cannot be read/],
    [['simulate', '--rate', '10', '--kill', 'soon'], /a time is needed/],
    [['simulate', '--rate', '10', '--kill', '1m:2s:3s'], /AT:BACK-AFTER/],
    [['simulate', '--rate', '10', '--steps', '1h'], /TIME=RATE/],
    [['simulate', '--rate', '10', '--steps', '0s=1,2h=4,1h=3'], /in their order/],
    [['simulate', '--rate', '10', '--steps', '0s=1', '--curve', 'day'], /cannot be used with/],
    [['simulate', '--rate', '10', '--peak', '600', '--curve', 'day'], /1 to 50 times/],
    [['simulate', '--rate', '10', '--kills-per-day', '3'], /needs --seed/],
    [['simulate', '--rate', '10', '--service', 'sink'], /--process-rate is needed/],
    [
      ['simulate', '--rate', '10', '--for', '24h', '--step', '1ms'],
      /2000000 steps at most, so it has to be 44ms/,
    ],
  ])('%j is called wrongly: exit code 2 and the remedy', async (argv, message) => {
    const { code, said } = await called(...argv);
    expect(said.join('\n')).toMatch(message);
    expect(code).toBe(2);
  });
});
