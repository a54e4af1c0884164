package millrace.peers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Windows of customers in Flink, in one process, parallelism 1: `FlinkWindows JOB`. State on the heap, checkpoints of it on
 * disk, objects reused, the hand-written codec, and settings for throughput.
 */
public final class FlinkWindows {
  private static final class FromKafka implements KafkaRecordDeserializationSchema<Payment> {
    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Payment> to) {
      String customer = new String(record.key(), UTF_8);
      to.collect(
          new Payment(
              customer, record.value(), record.partition(), record.offset(), record.timestamp()));
    }

    @Override
    public TypeInformation<Payment> getProducedType() {
      return TypeInformation.of(Payment.class);
    }
  }

  public static void main(String[] arguments) throws Exception {
    String jobFile = arguments[0];
    Job job = Job.read(jobFile);
    Configuration settings = new Configuration();
    settings.set(StateBackendOptions.STATE_BACKEND, "hashmap");
    settings.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    settings.set(
        CheckpointingOptions.CHECKPOINTS_DIRECTORY,
        Path.of(job.folder(), job.group()).toUri().toString());
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(1, settings);
    environment.enableCheckpointing(FlinkScorer.CHECKPOINT_MS);
    environment.getConfig().enableObjectReuse();
    environment
        .fromSource(
            FlinkScorer.source(job, new FromKafka()), WatermarkStrategy.noWatermarks(), "payments")
        .keyBy(payment -> payment.customer)
        .process(new FoldFunction(jobFile))
        .sinkTo(FlinkScorer.sink(job, true));
    environment.execute(job.contestant());
  }
}
