package millrace.peers;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Folds each payment into what is known of its customer. */
final class FoldFunction extends KeyedProcessFunction<String, Payment, Row> {
  private final String jobFile;
  private transient CustomerWindows windows;
  private transient ValueState<byte[]> known;

  FoldFunction(String jobFile) {
    this.jobFile = jobFile;
  }

  @Override
  public void open(OpenContext context) throws Exception {
    windows = new CustomerWindows(Job.read(jobFile));
    known =
        getRuntimeContext()
            .getState(
                new ValueStateDescriptor<>(
                    "customers", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
  }

  @Override
  public void processElement(Payment payment, Context context, Collector<Row> to) throws Exception {
    windows.read(payment.value);
    known.update(windows.fold(known.value()));
    byte[] vector = windows.vector(payment.partition, payment.offset, payment.appendTime);
    to.collect(new Row(payment.customer.getBytes(UTF_8), vector, payment.partition, payment.offset));
  }
}
