import { expect, test } from '@jest/globals';
import { Bad } from '@millrace/avro';
import type { InboundBatch, Outcomes, Task } from '@millrace/stream';
import { noTracing, type SpanOptions, type Tracing } from '@millrace/telemetry';
import { traced } from '../src/traced.ts';
import type { Inbound, Outputs } from '../src/values.ts';

const PARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const batch = (topic: string): InboundBatch<Inbound> => {
  const values = [{ lineage: { traceparent: PARENT } }, { lineage: null }, new Bad('bad-value', 'no'), null];
  return {
    topic, partition: 3, length: values.length, offset: i => i, appendTimeMs: () => 0, key: () => null, bytes: () => null,
    header: () => undefined, value: i => values[i] as Inbound,
  }; // prettier-ignore
};
const out = {} as Outcomes<Outputs>;
const signal = new AbortController().signal;

const recording = (): { spans: (readonly [string, SpanOptions])[]; tracing: Tracing } => {
  const spans: (readonly [string, SpanOptions])[] = [];
  const tracing: Tracing = {
    span: async (name, options, work) => {
      spans.push([name, options]);
      return work({ traceparent: undefined } as never);
    },
  };
  return { spans, tracing };
};
const taskOf = (handled: string[]): Task<Inbound, Outputs> => ({
  handle: ({ topic }) => {
    handled.push(topic);
    return Promise.resolve();
  },
});

test('a run of events has a span that is linked to what was sampled; a run between stages has none', async () => {
  const { spans, tracing } = recording();
  const handled: string[] = [];
  const task = traced(taskOf(handled), new Set(['events']), tracing);
  await task.handle(batch('events'), out, signal);
  await task.handle(batch('repartition'), out, signal);
  expect(handled).toEqual(['events', 'repartition']);
  expect(spans.map(([name]) => name)).toEqual(['process events']);
  expect(spans[0]![1]).toMatchObject({
    kind: 'consumer',
    links: [PARENT],
    attributes: { 'messaging.batch.message_count': 4 },
  });
});

test('without tracing values are not looked at', async () => {
  const untouched = {
    ...batch('events'),
    value: () => {
      throw new Error('looked at');
    },
  };
  const task = traced(taskOf([]), new Set(['events']), noTracing);
  await task.handle(untouched as never, out, signal);
});
