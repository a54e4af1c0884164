package millrace.peers;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** Gathers records, and scores them when there are enough, when they have waited, and before every checkpoint. */
final class BatchingOperator extends AbstractStreamOperator<Row> implements OneInputStreamOperator<Row, Row> {
  private static final int ROWS_MAX = 128;
  private static final long WAIT_MS_MAX = 10;
  private final String jobFile;
  private transient Rows rows;
  private transient List<Row> gathered;
  private transient boolean timed;

  BatchingOperator(String jobFile) {
    this.jobFile = jobFile;
  }

  @Override
  public void open() throws Exception {
    super.open();
    rows = Rows.of(Job.read(jobFile), Rows.Codec.TUNED, ROWS_MAX);
    gathered = new ArrayList<>(ROWS_MAX);
  }

  @Override
  public void processElement(StreamRecord<Row> element) throws Exception {
    Row row = element.getValue();
    rows.add(row.value, row.offset);
    gathered.add(row);
    if (rows.size() == ROWS_MAX) flush();
    else if (!timed) {
      timed = true;
      long now = getProcessingTimeService().getCurrentProcessingTime();
      getProcessingTimeService()
          .registerTimer(
              now + WAIT_MS_MAX,
              at -> {
                timed = false;
                flush();
              });
    }
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpoint) throws Exception {
    flush();
  }

  @Override
  public void finish() throws Exception {
    flush();
    super.finish();
  }

  private void flush() throws Exception {
    if (rows.size() == 0) return;
    rows.score();
    for (int i = 0; i < gathered.size(); i++)
      output.collect(new StreamRecord<>(gathered.get(i).with(rows.prediction(i))));
    rows.clear();
    gathered.clear();
  }
}
