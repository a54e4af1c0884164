import { describe, expect, test } from '@jest/globals';
import { runProgram } from '../../../src/program.ts';
import { fakeIo } from '../../fakeIo.ts';

interface Said {
  readonly course: { readonly instances: number; readonly partitions: number; readonly rateMax: number };
  readonly lagMost: number;
  readonly samples: readonly { readonly atMs: number; readonly rate: number }[];
  readonly aftermath: readonly { readonly what: string; readonly caughtUpMs: number | undefined }[];
  readonly waits: { readonly p99Ms: number; readonly mostMs: number };
}

const simulated = async (...argv: readonly string[]): Promise<Said> => {
  const io = fakeIo();
  expect(await runProgram(['capacity', 'simulate', ...argv, '--output', 'json'], io)).toBe(0);
  return JSON.parse(io.data[0]!) as Said;
};

describe('millrace capacity simulate', () => {
  test('processes, partitions and rates are those of the plan', async () => {
    const { course, samples } = await simulated('--rate', '1000', '--peak', '4000', '--curve', 'day', '--for', '24h', '--step', '10s');
    // Events and labels: 8,000 a second at the peak, 17,600 for a process.
    expect(course).toMatchObject({ instances: 1, partitions: 6 });
    expect(samples).toHaveLength(24);
    expect(samples[12]!.rate).toBeCloseTo(8_000, 0);
  }); // prettier-ignore

  test('a kill is caught up with; without one there is no lag to speak of', async () => {
    const flags = ['--service', 'inference', '--rate', '40000', '--instances', '2', '--for', '2m', '--process-rate', '60000'];
    const [calm, killed] = [await simulated(...flags), await simulated(...flags, '--kill', '30s:20s')];
    expect(calm.lagMost).toBeLessThan(1_000);
    expect(killed.lagMost).toBeGreaterThan(20_000 * 6);
    expect(killed.aftermath.map(({ what }) => what)).toEqual(['killed 0', 'started 0']);
    expect(killed.aftermath[0]!.caughtUpMs).toBeGreaterThan(6_700);
    expect(killed.waits.p99Ms).toBeGreaterThan(calm.waits.p99Ms);
  }); // prettier-ignore

  test('a session of one own is what a killed process is missed for', async () => {
    const flags = ['--service', 'inference', '--rate', '40000', '--instances', '2', '--for', '2m', '--process-rate', '60000'];
    const { waits } = await simulated(...flags, '--kill', '30s', '--session', '20s');
    // The take-over comes on top.
    expect(waits.mostMs).toBeGreaterThan(20_000);
    expect(waits.mostMs).toBeLessThan(21_000);
  }); // prettier-ignore

  test('as a table, it says when lag was most and whether it was caught up with', async () => {
    const io = fakeIo();
    const argv = ['capacity', 'simulate', '--rate', '100', '--service', 'inference', '--backlog', '1000000', '--for', '1m', '--samples', '3'];
    expect(await runProgram(argv, io)).toBe(0);
    const text = io.data.join('\n');
    // 1,000,000 / (93,246 - 100)
    expect(text).toMatch(/^00:00:00 backlog of 1000000: caught up after (10\.7|10\.8) s$/m);
    expect(text).toMatch(/Lag at most .* records, at 00:00:00; 0 in the end/);
  }); // prettier-ignore

  test('what the plan refuses is refused here; with processes given it is simulated', async () => {
    const io = fakeIo();
    const argv = ['--rate', '100000', '--partitions', '2'];
    expect(await runProgram(['capacity', 'simulate', ...argv], io)).toBe(1);
    expect(io.said.join('\n')).toContain('refused: 2 partitions are too few for feature');
    expect((await simulated(...argv, '--instances', '2', '--for', '1m')).lagMost).toBeGreaterThan(1e6);
  });
});
