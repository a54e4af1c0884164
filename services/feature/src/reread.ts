/** Reads events again as the service reads them, so that whoever folds them later takes the same records and leaves the same. */
import { type Codec, openCodec, type Registry } from '@millrace/avro';
import type { Stretch } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { FoldEvent } from '@millrace/features';
import type { Broker, InboundBatch, RecordRun, RejectReason } from '@millrace/stream';
import { planOf } from './plan.ts';
import { readSource } from './row.ts';
import type { Inbound } from './values.ts';

/** An event with its arrival, milliseconds since the epoch; or why the service rejects the record. */
export type Reread =
  | { readonly event: FoldEvent; readonly appendTimeMs: number; readonly reason?: never }
  | { readonly event?: never; readonly reason: RejectReason };

const batchOf = (run: RecordRun, codec: Codec<Inbound>): InboundBatch<Inbound> => ({
  topic: run.topic,
  partition: run.partition,
  length: run.length,
  offset: i => run.offset(i),
  appendTimeMs: i => run.appendTimeMs(i),
  key: i => run.key(i),
  bytes: i => run.value(i),
  header: (i, name) => run.header(i, name),
  value: i => {
    const bytes = run.value(i);
    return bytes === null ? null : codec.decode(bytes);
  },
});

/** Nobody waits for what is only read. */
const NOBODY = { batch: { settled: Promise.resolve(), done: () => undefined, skip: () => undefined, reject: () => undefined }, i: 0 }; // prettier-ignore

/**
 * What the service takes of these stretches of its sources, committed records only, one source after the other; what it
 * skips is left out. @param stretches of other topics are passed over. @param streams default: all
 */
export async function* rereadEvents(
  { broker, registry }: { readonly broker: Broker; readonly registry: Registry },
  pipeline: Pipeline,
  stretches: readonly Stretch[],
  streams?: readonly string[],
): AsyncGenerator<Reread> {
  const plan = planOf(pipeline);
  for (const source of plan.sources) {
    const ours = stretches.filter(({ topic }) => topic === source.topic);
    if (ours.length === 0 || streams?.includes(source.stream) === false) continue;
    const codec = await openCodec<Inbound>(registry, plan.values.get(source.topic)!);
    const from = ours.map(at => ({ topic: at.topic, partition: at.partition, offset: at.from }));
    const until = ours.map(at => ({ topic: at.topic, partition: at.partition, offset: at.until }));
    for await (const run of broker.read({ from, until })) {
      await codec.prepare(Array.from({ length: run.length }, (_, i) => run.value(i)));
      const batch = batchOf(run, codec);
      for (let i = 0; i < run.length; i++) {
        const row = readSource(plan, source, batch, i, NOBODY);
        if (typeof row === 'string') continue;
        if ('reason' in row) yield { reason: row.reason };
        else yield { event: row.event, appendTimeMs: row.appendTimeMs };
      }
    }
  }
}
