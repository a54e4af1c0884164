package millrace.peers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.internals.InternalProcessorContext;
import org.apache.kafka.streams.processor.internals.ProcessorNode;

/** Gathers records, and scores them when there are enough, when they have waited, and before every commit. */
final class BatchingProcessor implements Processor<byte[], byte[], byte[], byte[]> {
  private static final int ROWS_MAX = 128;
  private static final Duration WAIT_MAX = Duration.ofMillis(10);
  private final Rows rows;
  private final List<Record<byte[], byte[]>> records = new ArrayList<>(ROWS_MAX);
  private InternalProcessorContext<byte[], byte[]> context;

  BatchingProcessor(Job job) {
    try {
      rows = Rows.of(job, Rows.Codec.TUNED, ROWS_MAX);
    } catch (Exception failure) {
      throw new IllegalStateException(failure);
    }
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> given) {
    context = (InternalProcessorContext<byte[], byte[]>) given;
    ProcessorNode<?, ?, ?, ?> node = context.currentNode();
    context.schedule(WAIT_MAX, PunctuationType.WALL_CLOCK_TIME, now -> flush());
    BeforeCommit beforeCommit = context.getStateStore(BeforeCommit.NAME);
    beforeCommit.run(
        () -> {
          // Between records no node is the current one, and only a current one may forward.
          ProcessorNode<?, ?, ?, ?> current = context.currentNode();
          context.setCurrentNode(node);
          try {
            flush();
          } finally {
            context.setCurrentNode(current);
          }
        });
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    try {
      rows.add(record.value(), context.recordMetadata().orElseThrow().offset());
    } catch (Exception failure) {
      throw new IllegalStateException(failure);
    }
    records.add(record);
    if (rows.size() == ROWS_MAX) flush();
  }

  private void flush() {
    if (rows.size() == 0) return;
    try {
      rows.score();
      for (int i = 0; i < records.size(); i++)
        context.forward(records.get(i).withValue(rows.prediction(i)));
    } catch (Exception failure) {
      throw new IllegalStateException(failure);
    }
    rows.clear();
    records.clear();
  }
}
