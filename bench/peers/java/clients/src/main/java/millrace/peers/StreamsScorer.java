package millrace.peers;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/**
 * Kafka Streams: `StreamsScorer JOB per-record|batched`. Per record, with generic records, is what its interfaces invite to,
 * everything at its default. Batched has the hand-written codec, and settings for throughput.
 */
public final class StreamsScorer {
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(10);

  private static final class PerRecord implements FixedKeyProcessor<byte[], byte[], byte[]> {
    private final Rows rows;
    private FixedKeyProcessorContext<byte[], byte[]> context;

    PerRecord(Job job) {
      try {
        rows = Rows.of(job, Rows.Codec.GENERIC, 1);
      } catch (Exception failure) {
        throw new IllegalStateException(failure);
      }
    }

    @Override
    public void init(FixedKeyProcessorContext<byte[], byte[]> given) {
      context = given;
    }

    @Override
    public void process(FixedKeyRecord<byte[], byte[]> record) {
      try {
        rows.add(record.value(), context.recordMetadata().orElseThrow().offset());
        rows.score();
        context.forward(record.withValue(rows.prediction(0)));
        rows.clear();
      } catch (Exception failure) {
        throw new IllegalStateException(failure);
      }
    }
  }

  private static Topology perRecord(Job job) {
    StreamsBuilder builder = new StreamsBuilder();
    builder
        .<byte[], byte[]>stream(job.inTopic())
        .processValues(() -> new PerRecord(job))
        .to(job.outTopic());
    return builder.build();
  }

  private static Topology batched(Job job) {
    return new Topology()
        .addSource("vectors", job.inTopic())
        .addProcessor("score", () -> new BatchingProcessor(job), "vectors")
        .addStateStore(BeforeCommit.builder(), "score")
        .addSink("predictions", job.outTopic(), "score");
  }

  static Properties settings(Job job, boolean batched) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, job.group());
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.bootstrap());
    settings.put(StreamsConfig.STATE_DIR_CONFIG, job.folder());
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
    settings.put("auto.offset.reset", "earliest");
    settings.put(StreamsConfig.consumerPrefix("isolation.level"), "read_committed");
    if (job.exactlyOnce())
      settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    if (batched) {
      settings.put(StreamsConfig.producerPrefix("linger.ms"), 20);
      settings.put(StreamsConfig.producerPrefix("batch.size"), 256 * 1024);
      settings.put(StreamsConfig.consumerPrefix("max.poll.records"), 2000);
      settings.put(StreamsConfig.consumerPrefix("fetch.min.bytes"), 64 * 1024);
      settings.put(StreamsConfig.consumerPrefix("fetch.max.wait.ms"), 100);
    }
    return settings;
  }

  /** Until the process is told to end; it ends by itself where the topology fails. */
  static void run(Topology topology, Properties settings) {
    KafkaStreams streams = new KafkaStreams(topology, settings);
    streams.setUncaughtExceptionHandler(
        failure -> {
          failure.printStackTrace();
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.ERROR) Runtime.getRuntime().halt(1);
        });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(CLOSE_WITHIN)));
    streams.start();
  }

  public static void main(String[] arguments) throws Exception {
    Job job = Job.read(arguments[0]);
    boolean batched = arguments[1].equals("batched");
    run(batched ? batched(job) : perRecord(job), settings(job, batched));
  }
}
