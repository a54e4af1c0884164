import type { Codec } from '@millrace/avro';
import { stageKeys } from '@millrace/contracts';
import { type Epoch, partsOf } from '@millrace/features';
import { type Emitter, murmur2Partition } from '@millrace/stream';
import type { Hop, Plan } from './plan.ts';
import type { Row } from './row.ts';
import type { Outputs, RepartitionValue } from './values.ts';

/** What one task sends to the stages behind it, as one of their lanes. */
export interface LaneWriter {
  row(epoch: Epoch, row: Row, hop: Hop): void;
  /** Tells every partition that nothing of this epoch or an earlier one will follow. */
  marker(epoch: Epoch, to: Hop['to']): void;
}

export function laneWriter(
  { pipeline }: Plan,
  lane: number,
  out: Emitter<Outputs>,
  codec: Codec<RepartitionValue>,
): LaneWriter {
  const markerKey = Buffer.from(String(lane));
  const sourceKey = stageKeys(pipeline)[0]!;
  return {
    row(epoch, row, hop) {
      const value = { lane, epoch: partsOf(epoch), row: sentRow(row) };
      const { fields } = row.event;
      // A row of a table has one key; on its way to that one's stage it passes others, where nobody looks for it.
      const keyed = (field: string): Buffer => Buffer.from(String(field in fields ? fields[field] : ''));
      if (hop.to !== 'release') return out.emit(hop.to, keyed(hop.stage.key), value);
      // Back to the task that read it: of a letter sent again, not the partition that it first stood on.
      const home = murmur2Partition(keyed(sourceKey), pipeline.partitions);
      out.emit('release', keyed(pipeline.entity), value, home);
    },
    marker(epoch, to) {
      const bytes = codec.encode({ lane, epoch: partsOf(epoch), row: null });
      for (let partition = 0; partition < pipeline.partitions; partition++)
        out.emit(to, markerKey, bytes, partition);
    },
  };
}

const sentRow = (row: Row): RepartitionValue['row'] => ({
  stream: row.event.stream,
  sourceTopic: row.sourceTopic,
  sourcePartition: row.event.partition,
  sourceOffset: row.event.offset,
  appendTime: row.appendTimeMs,
  late: row.late,
  features: row.features,
  ages: row.ages,
  traceparent: row.traceparent,
  value: row.value.bytes.subarray(row.value.from, row.value.to),
});
