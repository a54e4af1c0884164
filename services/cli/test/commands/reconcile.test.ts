import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { credit } from '@millrace/pipelines';
import { reconcileRuns, type ReconcileFlags } from '../../src/commands/reconcile.ts';
import { EXIT, UsageError } from '../../src/io.ts';
import type { Report } from '../../src/reconcile/report.ts';
import { fakeIo } from '../fakeIo.ts';
import { answerTo, Town, type Vector } from '../reconcile/town.ts';

let folder: string;
let town: Town;
let vectors: readonly Vector[];
/** An entity's name may be anything; on a page it is text. */
const NASTY = '<script>alert("7")</script>';

const run = async (flags: Partial<ReconcileFlags> = {}) => {
  const io = fakeIo();
  const all: ReconcileFlags = {
    run: 'n1', against: 'live', tolerance: 1e-6, top: 20, html: undefined, metricsFile: undefined, output: 'table', ...flags,
  }; // prettier-ignore
  const code = await reconcileRuns(io, town.world, credit, all);
  return { code, text: io.data.join('\n'), said: io.said.join('\n') };
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-reconcile-'));
  town = await Town.open();
  vectors = await town.vectors(['c1', 'c2', 'c3', NASTY].map(entity => ({ entity, version: 1 })));
  await town.answers(vectors.map(vector => answerTo(vector, 'live')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('two that agree: code 0, one sentence, a page and figures for Prometheus', async () => {
  await town.answers(vectors.map(vector => answerTo(vector, 'n1')));
  await town.run('n1');
  const [html, metricsFile] = [join(folder, 'report.html'), join(folder, 'reconcile.prom')];
  const { code, text } = await run({ html, metricsFile });
  expect(code).toBe(EXIT.done);
  expect(text).toContain('n1 and the stream agree: 4 entities have the same vector, model and decision');
  expect(readFileSync(metricsFile, 'utf8').trim().split('\n')).toEqual(
    expect.arrayContaining([
      'millrace_reconcile_units{pipeline="credit",outcome="matched"} 4',
      'millrace_reconcile_units{pipeline="credit",outcome="missing"} 0',
      'millrace_reconcile_agrees{pipeline="credit"} 1',
      'millrace_reconcile_largest_difference{pipeline="credit"} 0',
      `millrace_reconcile_timestamp_seconds{pipeline="credit"} ${town.world.clock.now() / 1000}`,
    ]),
  );
  // Nothing of the process itself, and no half of a file.
  expect(readFileSync(metricsFile, 'utf8')).not.toMatch(/process_|millrace_records/);
  expect(readdirSync(folder).sort()).toEqual(['reconcile.prom', 'report.html']);
});

test('two that do not: code 3, and the same figures on the terminal, as JSON, on the page and as metrics', async () => {
  const [c1, c2, , nasty] = vectors;
  await town.answers([
    answerTo(c1!, 'n1'),
    answerTo(c2!, 'n1', { outputs: { score: 0.75 }, decision: 'act' }),
    answerTo(nasty!, 'n1', { modelVersion: '2', modelDigest: 'cc'.repeat(32), outputs: { score: 0.8 } }),
  ]);
  await town.run('n1');
  const [html, metricsFile] = [join(folder, 'report.html'), join(folder, 'reconcile.prom')];
  const found = await run({ html, metricsFile, output: 'json' });
  expect(found.code).toBe(EXIT.differences);
  const report = JSON.parse(found.text) as Report;
  expect(report).toMatchObject({ format: 1, agrees: false, compared: 4, outcomes: { matched: 1, differing: 2, missing: 1, extra: 0 } });
  const page = readFileSync(html, 'utf8');
  expect(page).toContain('n1 and the stream do not agree on 3 entities of 4 (75.00 %): 2 differing, 1 missing.');
  for (const said of ['the same vector and model, and another score', 'another model answered', 'no answer and no dead letter are kept', 'credit 2 (cccccccccccc…) instead of credit 1'])
    expect([said, page.includes(said)]).toEqual([said, true]);
  // It needs nothing beside itself, and what a record says is text.
  expect(page).not.toMatch(/<script|src=|href=|@import|url\(/);
  expect(page).toContain('&lt;script&gt;alert(&quot;7&quot;)&lt;/script&gt;');
  expect(readFileSync(metricsFile, 'utf8')).toContain('millrace_reconcile_units{pipeline="credit",outcome="differing"} 2');
  const table = await run();
  expect([table.code, table.text]).toEqual([EXIT.differences, expect.stringMatching(/^c3 +- +- +0\.310000 +no answer/m)]);
}); // prettier-ignore

test('what cannot be asked for is told with the remedy', async () => {
  await expect(run({ run: 'live' })).rejects.toThrow(UsageError);
  await expect(run({ run: 'n1', against: 'n1' })).rejects.toThrow(/nothing to compare/);
  await expect(run({ top: 0 })).rejects.toThrow(/between 1 and 1000/);
  const unknown = await run({ run: 'nobody' });
  expect([unknown.code, unknown.said]).toEqual([EXIT.failed, expect.stringContaining('no run nobody')]);
});
