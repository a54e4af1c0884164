/** What is deployed speaks of things that exist: metrics of the table, files of the tree, jobs that are scraped. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SERVICE_START } from '@millrace/runtime';
import { METRICS, type MetricDefinition } from '@millrace/telemetry';
import { parse } from 'yaml';
import { FIGURES, pipelineDashboard, ROWS } from '../deploy/grafana/pipeline.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook_url: string };
}
const rules = (
  parse(read('deploy/prometheus/rules/millrace.yaml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap(g => g.rules);
const queries = [...FIGURES, ...ROWS.flatMap(row => row.panels)].flatMap(panel =>
  panel.queries.map(q => q.expr),
);

const series = new Map<string, MetricDefinition>(
  Object.entries(METRICS as Record<string, MetricDefinition>).flatMap(([name, metric]) =>
    metric.kind === 'histogram'
      ? ['_bucket', '_sum', '_count'].map(end => [name + end, metric] as const)
      : [[name, metric] as const],
  ),
);

describe('dashboards and alerts', () => {
  test.each([...rules.map(r => r.expr), ...queries])(
    'names only metrics and labels of the table: %s',
    expr => {
      const names = [...expr.matchAll(/\bmillrace_\w+/g)].map(m => m[0]);
      expect(names.filter(name => !series.has(name))).toEqual([]);
      const labels = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(m =>
        m[1]!.split(',').map(label => label.trim()),
      );
      const known = new Set(['le', 'job', 'instance', ...names.flatMap(name => series.get(name)!.labels)]);
      expect(labels.filter(label => !known.has(label))).toEqual([]);
    },
  );

  test('the dashboard that is kept is the one that the code builds', () => {
    expect(JSON.parse(read('deploy/grafana/dashboards/millrace-pipeline.json'))).toEqual(
      JSON.parse(JSON.stringify(pipelineDashboard())),
    );
  });

  test('every alert leads to a chapter of the operating manual', () => {
    const chapters = new Set(
      [...read('docs/OPERATING.md').matchAll(/^#+ (.+)$/gm)].map(m =>
        m[1]!
          .toLowerCase()
          .replaceAll(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      ),
    );
    for (const rule of rules) {
      const [file, chapter] = rule.annotations.runbook_url.split('#') as [string, string];
      expect(file).toBe('docs/OPERATING.md');
      expect(chapters).toContain(chapter);
    }
  });
});

test('the image starts services as everybody else does', () => {
  const image = read('deploy/Dockerfile');
  const { args, environment } = SERVICE_START;
  expect(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(image)![1]!)).toEqual(['node', ...args]);
  // What Node keeps of our files is made with the same flags.
  expect(image).toContain(`node ${args.join(' ')} \\\n`);
  for (const [name, value] of Object.entries(environment))
    expect(image).toContain(`ENV ${name}=${value.replace(ROOT, '/app')}\n`);
});

describe('compose', () => {
  const compose = parse(read('deploy/compose/compose.yaml'), { merge: true }) as {
    services: Record<string, { command?: string[]; volumes?: string[] }>;
  };
  test('starts programs and mounts files that exist', () => {
    const services = Object.entries(compose.services);
    expect(services.length).toBeGreaterThan(8);
    for (const [, service] of services) {
      if (service.command) expect(existsSync(join(ROOT, service.command[0]!))).toBe(true);
      for (const volume of service.volumes ?? [])
        expect(existsSync(join(ROOT, 'deploy/compose', volume.split(':')[0]!))).toBe(true);
    }
  });

  test('every scraped job is a service', () => {
    const scrape = parse(read('deploy/prometheus/prometheus.yaml')) as {
      scrape_configs: { job_name: string }[];
    };
    for (const job of scrape.scrape_configs) expect(Object.keys(compose.services)).toContain(job.job_name);
  });
});
