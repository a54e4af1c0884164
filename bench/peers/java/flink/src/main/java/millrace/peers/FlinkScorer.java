package millrace.peers;

import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Flink in one process, parallelism 1: `FlinkScorer JOB per-record|batched`. Per record is a map function with generic
 * records, everything at its default but the checkpoints. Batched has the hand-written codec and reuses objects.
 */
public final class FlinkScorer {
  static final long CHECKPOINT_MS = 1_000;
  /** Longer than any checkpoint takes; the broker allows 15 minutes. */
  private static final String TRANSACTION_MS_MAX = "600000";

  private static final class FromKafka implements KafkaRecordDeserializationSchema<Row> {
    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Row> to) {
      to.collect(new Row(record.key(), record.value(), record.partition(), record.offset()));
    }

    @Override
    public TypeInformation<Row> getProducedType() {
      return TypeInformation.of(Row.class);
    }
  }

  private static final class ToKafka implements KafkaRecordSerializationSchema<Row> {
    private final String topic;

    ToKafka(String topic) {
      this.topic = topic;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(Row row, KafkaSinkContext context, Long time) {
      return new ProducerRecord<>(topic, row.partition, row.key, row.value);
    }
  }

  static <T> KafkaSource<T> source(Job job, KafkaRecordDeserializationSchema<T> from) {
    return KafkaSource.<T>builder()
        .setBootstrapServers(job.bootstrap())
        .setTopics(job.inTopic())
        .setGroupId(job.group())
        .setStartingOffsets(OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST))
        .setDeserializer(from)
        .setProperty("isolation.level", "read_committed")
        .build();
  }

  static KafkaSink<Row> sink(Job job, boolean batched) {
    Properties settings = new Properties();
    settings.put("acks", "all");
    settings.put("transaction.timeout.ms", TRANSACTION_MS_MAX);
    if (batched) {
      settings.put("linger.ms", "20");
      settings.put("batch.size", String.valueOf(256 * 1024));
    }
    return KafkaSink.<Row>builder()
        .setBootstrapServers(job.bootstrap())
        .setKafkaProducerConfig(settings)
        .setRecordSerializer(new ToKafka(job.outTopic()))
        .setDeliveryGuarantee(
            job.exactlyOnce() ? DeliveryGuarantee.EXACTLY_ONCE : DeliveryGuarantee.AT_LEAST_ONCE)
        .setTransactionalIdPrefix(job.group())
        .build();
  }

  public static void main(String[] arguments) throws Exception {
    String jobFile = arguments[0];
    Job job = Job.read(jobFile);
    boolean batched = arguments[1].equals("batched");
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(1, new Configuration());
    environment.enableCheckpointing(CHECKPOINT_MS);
    if (batched) environment.getConfig().enableObjectReuse();
    DataStream<Row> vectors =
        environment.fromSource(
            source(job, new FromKafka()), WatermarkStrategy.noWatermarks(), "vectors");
    DataStream<Row> predictions =
        batched
            ? vectors.transform("score", TypeInformation.of(Row.class), new BatchingOperator(jobFile))
            : vectors.map(new PerRecordFunction(jobFile));
    predictions.sinkTo(sink(job, batched));
    environment.execute(job.contestant());
  }
}
