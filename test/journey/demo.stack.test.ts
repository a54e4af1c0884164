/** What others script against: the commands as processes, on a stack that is there already. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { PredictionValue } from '@millrace/contracts';
import { describeStack, stackAddresses } from '../jest/stack.ts';
import { isAlive, millrace } from './command.ts';

const LIMIT_MS = 120_000;
const EVENTS = 500;
const FIELDS =
  'pipeline stack in scored fallback deferred deadLetters skipped doubled rows latencyMs recordsPerSecond'.split(
    ' ',
  );

interface Finding {
  readonly what: string;
  readonly found: boolean;
  readonly matches: boolean;
}

interface Status {
  readonly ingest: string;
  readonly services: readonly { readonly name: string; readonly pid: number; readonly ready: boolean }[];
}

describeStack('the commands', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-commands-'));
  afterAll(async () => {
    await millrace(`down --directory ${directory}`);
    rmSync(directory, { recursive: true, force: true });
  }, LIMIT_MS);

  test(
    'demo: the last line is the account, it adds up, and nothing is left running',
    async () => {
      const { code, lines, said } = await millrace(`demo --events ${EVENTS} --rate 300 --output json`);
      expect({ code, said: code === 0 ? '' : said }).toEqual({ code: 0, said: '' });
      const account = JSON.parse(lines.at(-1)!) as Record<string, number>;
      expect(Object.keys(account)).toEqual(FIELDS);
      expect(account).toEqual({
        pipeline: 'fraud',
        stack: 'external',
        // The payments, three sent again, and two records that are no events.
        in: EVENTS + 5,
        scored: EVENTS,
        fallback: 0,
        deferred: 0,
        deadLetters: 2,
        skipped: 3,
        doubled: expect.any(Number),
        rows: EVENTS,
        latencyMs: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
        recordsPerSecond: expect.any(Number),
      });
      const pids = [...said.matchAll(/\(pid (\d+)\)/g)].map(([, pid]) => Number(pid));
      expect(pids.length).toBe(4);
      expect(pids.filter(isAlive)).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'tail gives predictions line by line, and trace leads from one of them to its input, vector and model',
    async () => {
      const tail = await millrace('tail predictions --limit 5 --output json --from-beginning');
      expect([tail.code, tail.lines.length]).toEqual([0, 5]);
      const [prediction] = tail.lines.map(line => JSON.parse(line) as PredictionValue);

      const trace = await millrace(`trace ${prediction!.predictionId} --output json`);
      const traced = JSON.parse(trace.lines.at(-1)!) as {
        readonly prediction: PredictionValue;
        readonly findings: readonly Finding[];
      };
      expect(traced.prediction.eventId).toBe(prediction!.eventId);
      const [input, vector, model] = traced.findings;
      expect(input).toMatchObject({ what: 'input', found: true, matches: true });
      // Compaction may have taken the vector; where it is, it is the one that was scored.
      expect(vector).toMatchObject({ what: 'feature vector', matches: vector!.found });
      expect(model).toMatchObject({ what: 'model', found: true, matches: true });
      expect(trace.code).toBe(0);

      const none = await millrace('trace no-such-id --output json');
      expect(none.code).toBe(1);
      expect(none.said).toContain('no prediction no-such-id');
    },
    LIMIT_MS,
  );

  test(
    'up leaves the services running, status tells of them, down ends them and not the stack of others',
    async () => {
      const up = await millrace(`up --directory ${directory} --output json`);
      expect(up.code).toBe(0);
      const status = await millrace(`status --directory ${directory} --output json`);
      const found = JSON.parse(status.lines.at(-1)!) as Status;
      expect(found).toMatchObject({ ...stackAddresses(), ingest: expect.stringContaining('http://') });
      expect(found.services.map(({ name, ready }) => [name, ready])).toEqual(
        ['ingest', 'feature', 'inference', 'sink'].map(name => [name, true]),
      );
      expect((await fetch(`${found.ingest}/livez`)).status).toBe(200);

      expect((await millrace(`down --directory ${directory}`)).code).toBe(0);
      expect(found.services.filter(({ pid }) => isAlive(pid))).toEqual([]);
      const after = await millrace(`status --directory ${directory} --output json`);
      expect([after.code, (JSON.parse(after.lines.at(-1)!) as Status).services]).toEqual([1, []]);
      expect((await fetch(`${stackAddresses().registry}/subjects`)).status).toBe(200);
    },
    LIMIT_MS,
  );
});
