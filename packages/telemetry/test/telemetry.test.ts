import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createTelemetry, otelFromEnv } from '../src/index.ts';

const base = { service: 'echo', version: '1.2.3', instance: 'a', logLevel: 'info' } as const;

test('log lines are JSON with time, level, msg and service, and hide what looks like a secret', async () => {
  const lines: string[] = [];
  const telemetry = createTelemetry({ ...base, writeLog: line => lines.push(line) });
  const { logger } = telemetry;
  logger.debug({}, 'below the level');
  logger
    .child({ topic: 't', apiKey: 'k-123' })
    .info({ partition: 3, nested: { databasePassword: 'hunter2' }, key: new Uint8Array(5) }, 'read');
  logger.error({ err: new Error('no answer from postgres://u:hunter2@db/x') }, 'at kafka://u:hunter2@host');
  await telemetry.stop();

  expect(lines.join('')).not.toMatch(/hunter2|k-123/);
  const [first, second] = lines.map(line => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(2);
  const said = { level: 'info', msg: 'read', service: 'echo', version: '1.2.3', instance: 'a', topic: 't' };
  const hidden = { apiKey: '[redacted]', nested: { databasePassword: '[redacted]' }, key: '[5 bytes]' };
  expect(first).toMatchObject({ ...said, ...hidden, partition: 3 });
  expect(new Date(first!['time'] as string).toISOString()).toBe(first!['time']);
  expect(second).toMatchObject({
    msg: 'at kafka://[redacted]@host',
    err: { type: 'Error', message: 'no answer from postgres://[redacted]@db/x' },
  });
});

test('metrics: counters, gauges and histograms in text, with the process and the build', async () => {
  const telemetry = createTelemetry({ ...base, writeLog: () => undefined });
  const { metrics } = telemetry;
  metrics.count('millrace_records_in_total', { topic: 'a' });
  metrics.count('millrace_records_in_total', { topic: 'a' }, 4);
  metrics.count('millrace_records_skipped_total', { topic: 'a', reason: 'duplicate "x"' });
  metrics.set('millrace_freshness_seconds', { pipeline: 'p', stream: 's' }, 2.5);
  for (const rows of [1, 2, 3, 5000, Number.NaN])
    metrics.observe('millrace_model_batch_rows', { pipeline: 'p', model: 'm' }, rows);
  metrics.observe('millrace_model_batch_rows', { pipeline: 'p', model: 'm' }, 3, 2);
  const lines = (await metrics.text()).split('\n');
  await telemetry.stop();

  expect(metrics.contentType).toContain('text/plain');
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE millrace_records_in_total counter',
      'millrace_records_in_total{topic="a"} 5',
      String.raw`millrace_records_skipped_total{topic="a",reason="duplicate \"x\""} 1`,
      'millrace_freshness_seconds{pipeline="p",stream="s"} 2.5',
      'millrace_model_batch_rows_bucket{pipeline="p",model="m",le="1"} 1',
      'millrace_model_batch_rows_bucket{pipeline="p",model="m",le="2"} 2',
      'millrace_model_batch_rows_bucket{pipeline="p",model="m",le="4"} 5',
      'millrace_model_batch_rows_bucket{pipeline="p",model="m",le="2048"} 5',
      'millrace_model_batch_rows_bucket{pipeline="p",model="m",le="+Inf"} 6',
      'millrace_model_batch_rows_sum{pipeline="p",model="m"} 5012',
      'millrace_model_batch_rows_count{pipeline="p",model="m"} 6',
      'millrace_build_info{service="echo",version="1.2.3"} 1',
      'millrace_ingest_in_flight_bytes 0',
    ]),
  );
  expect(lines.some(line => line.startsWith('process_cpu_user_seconds_total'))).toBe(true);
  expect(lines.some(line => /^millrace_event_loop_delay_seconds \d/.test(line))).toBe(true);
});

test('a hundred thousand values of a label stay a bounded number of series', async () => {
  const telemetry = createTelemetry({ ...base, writeLog: () => undefined });
  for (let i = 0; i < 100_000; i++) telemetry.metrics.count('millrace_records_in_total', { topic: `t-${i}` });
  const lines = (await telemetry.metrics.text())
    .split('\n')
    .filter(line => line.startsWith('millrace_records_in_total{'));
  await telemetry.stop();
  expect(lines).toHaveLength(501);
  expect(lines).toContain('millrace_records_in_total{topic="other"} 99500');
});

test('tracing is off without an endpoint, and follows the usual variables with one', () => {
  expect(otelFromEnv({})).toBeUndefined();
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
  expect(otelFromEnv({ ...endpoint, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  expect(
    otelFromEnv({ ...endpoint, OTEL_SERVICE_NAME: 'me', OTEL_RESOURCE_ATTRIBUTES: 'a=b%20c, d=e' }),
  ).toEqual({
    tracesUrl: 'http://collector:4318/v1/traces',
    resource: { a: 'b c', d: 'e', 'service.name': 'me' },
  });
});

test('spans reach the collector with their parent, links and kind of error; log lines name their trace', async () => {
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      bodies.push(Buffer.concat(parts).toString());
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const lines: string[] = [];
  const telemetry = createTelemetry({
    ...base,
    otel: { tracesUrl: `http://127.0.0.1:${port}/v1/traces`, resource: {} },
    writeLog: line => lines.push(line),
  });
  const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const linked = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const unsampled = '00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
  const { tracing, logger } = telemetry;
  const work = tracing.span(
    'process t',
    { kind: 'consumer', parent, links: [linked, unsampled, 'junk'] },
    span => {
      span.set({ 'messaging.batch.message_count': 2 });
      logger.info({ given: span.traceparent ?? 'none' }, 'inside');
      throw new RangeError('a payload');
    },
  );
  await expect(work).rejects.toThrow(RangeError);

  // The SDK loads in the background: spans begun before it is up go unrecorded, so begin one after it is.
  for (let tries = 0; tries < 200 && !lines.some(line => line.includes('trace_id')); tries++) {
    await new Promise(resolve => setTimeout(resolve, 25));
    await tracing.span(
      'process t',
      { kind: 'consumer', parent, links: [linked, unsampled, 'junk'] },
      span => {
        logger.info({ given: span.traceparent ?? 'none' }, 'inside');
      },
    );
  }
  const failing = tracing.span('fails', {}, () => Promise.reject(new RangeError('a payload')));
  await expect(failing).rejects.toThrow('a payload');
  await telemetry.stop();
  await new Promise(resolve => collector.close(resolve));

  const sent = bodies.join('');
  expect(sent).toContain('"traceId":"0af7651916cd43dd8448eb211c80319c"');
  expect(sent).toContain('"parentSpanId":"b7ad6b7169203331"');
  expect(sent).toContain('4bf92f3577b34da6a3ce929d0e0e4736');
  expect(sent).toContain('"stringValue":"RangeError"');
  expect(sent).toContain('"stringValue":"millrace-echo"');
  expect(sent).not.toContain('5bf92f3577b34da6a3ce929d0e0e4736');
  expect(sent).not.toContain('a payload');
  const named = lines
    .map(line => JSON.parse(line) as Record<string, string>)
    .find(line => 'trace_id' in line)!;
  expect(named['trace_id']).toBe('0af7651916cd43dd8448eb211c80319c');
  expect(named['given']).toBe(`00-${named['trace_id']}-${named['span_id']}-01`);
});
