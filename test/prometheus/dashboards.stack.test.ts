/** Rules are checked by Prometheus's own tool, and every query of the dashboard is asked of a real Prometheus. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { FIGURES, ROWS } from '../../deploy/grafana/pipeline.ts';
import { systemClock } from '@millrace/telemetry';
import { testUnless } from '../jest/skip.ts';
import { noStack } from '../jest/stack.ts';
import { eventually, payments, postEvents, startJourney } from '../journey/world.ts';

const FOLDER = process.env['MILLRACE_PROMETHEUS'];
const program = (name: string): string => (FOLDER === undefined ? name : join(FOLDER, name));
const missing = ['promtool', 'prometheus'].find(name => spawnSync(program(name), ['--version']).status !== 0);
const whyNot =
  missing === undefined
    ? noStack
    : `no ${missing}: put it on the PATH, or name its folder in MILLRACE_PROMETHEUS`;
const DEPLOY = join(import.meta.dirname, '../../deploy/prometheus');
const LIMIT_MS = 120_000;

testUnless(whyNot)('promtool finds nothing wrong with the rules, and they fire when they should', () => {
  for (const args of [
    ['check', 'rules', join(DEPLOY, 'rules/millrace.yaml')],
    ['test', 'rules', join(DEPLOY, 'tests/millrace.test.yaml')],
  ]) {
    const { status, stdout, stderr } = spawnSync(program('promtool'), args, { encoding: 'utf8' });
    expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' });
  }
});

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
};

const startPrometheus = async (
  directory: string,
  jobs: Readonly<Record<string, number>>,
): Promise<{ port: number; child: ChildProcess }> => {
  const port = await freePort();
  const config = {
    global: { scrape_interval: '1s' },
    scrape_configs: Object.entries(jobs).map(([job, at]) => ({
      job_name: job,
      static_configs: [{ targets: [`127.0.0.1:${at}`] }],
    })),
  };
  writeFileSync(join(directory, 'prometheus.yaml'), JSON.stringify(config)); // JSON is YAML
  const child = spawn(
    program('prometheus'),
    [
      `--config.file=${join(directory, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  return { port, child };
};

testUnless(whyNot)(
  'every query of the dashboard has an answer while events flow',
  async () => {
    const journey = await startJourney();
    const directory = mkdtempSync(join(tmpdir(), 'millrace-prometheus-'));
    const jobs = Object.fromEntries(journey.services.list().map(({ name, port }) => [name, port]));
    const { port, child } = await startPrometheus(directory, jobs);
    const ask = async (query: string): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
      const body = (await answer.json()) as { status: string; error?: string; data?: { result: unknown[] } };
      if (body.status !== 'success') throw new Error(`${query}: ${body.error}`);
      return body.data!.result.length;
    };
    try {
      const events = payments(400, 20);
      for (let sent = 0; sent < events.length; sent += 20) {
        expect((await postEvents(journey, JSON.stringify(events.slice(sent, sent + 20)))).status).toBe(202);
        await systemClock.sleep(250);
      }
      await eventually(
        () => ask('millrace_predictions_total').catch(() => 0),
        found => found > 0,
        found => `${found} series of predictions`,
      );
      await systemClock.sleep(3_000);
      const silent: string[] = [];
      for (const { expr } of [...FIGURES, ...ROWS.flatMap(row => row.panels)].flatMap(
        panel => panel.queries,
      )) {
        const query = expr.replaceAll('$__rate_interval', '30s').replaceAll('$pipeline', 'fraud');
        if ((await ask(query)) === 0) silent.push(query);
      }
      expect(silent).toEqual([]);
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await journey.close();
      rmSync(directory, { recursive: true, force: true });
    }
  },
  LIMIT_MS,
);
