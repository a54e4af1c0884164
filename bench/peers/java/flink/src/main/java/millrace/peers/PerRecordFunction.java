package millrace.peers;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;

/** One call of the engine for each record. */
final class PerRecordFunction extends RichMapFunction<Row, Row> {
  private final String jobFile;
  private transient Rows rows;

  PerRecordFunction(String jobFile) {
    this.jobFile = jobFile;
  }

  @Override
  public void open(OpenContext context) throws Exception {
    rows = Rows.of(Job.read(jobFile), Rows.Codec.GENERIC, 1);
  }

  @Override
  public Row map(Row row) throws Exception {
    rows.add(row.value, row.offset);
    rows.score();
    Row answered = row.with(rows.prediction(0));
    rows.clear();
    return answered;
  }
}
