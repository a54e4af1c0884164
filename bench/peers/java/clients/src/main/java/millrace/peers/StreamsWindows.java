package millrace.peers;

import java.security.NoSuchAlgorithmException;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Windows of customers in Kafka Streams: `StreamsWindows JOB`. A store on RocksDB with its changelog and its cache, as is the
 * default, the hand-written codec, and settings for throughput.
 */
public final class StreamsWindows {
  private static final String STORE = "customers";

  private static final class Fold implements FixedKeyProcessor<byte[], byte[], byte[]> {
    private final CustomerWindows windows;
    private FixedKeyProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> customers;

    Fold(Job job) {
      try {
        windows = new CustomerWindows(job);
      } catch (NoSuchAlgorithmException failure) {
        throw new IllegalStateException(failure);
      }
    }

    @Override
    public void init(FixedKeyProcessorContext<byte[], byte[]> given) {
      context = given;
      customers = given.getStateStore(STORE);
    }

    @Override
    public void process(FixedKeyRecord<byte[], byte[]> record) {
      RecordMetadata place = context.recordMetadata().orElseThrow();
      windows.read(record.value());
      customers.put(record.key(), windows.fold(customers.get(record.key())));
      context.forward(
          record.withValue(windows.vector(place.partition(), place.offset(), record.timestamp())));
    }
  }

  private static Topology topology(Job job) {
    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(STORE), Serdes.ByteArray(), Serdes.ByteArray())
            .withCachingEnabled());
    builder
        .<byte[], byte[]>stream(job.inTopic())
        .processValues(() -> new Fold(job), STORE)
        .to(job.outTopic());
    return builder.build();
  }

  public static void main(String[] arguments) throws Exception {
    Job job = Job.read(arguments[0]);
    StreamsScorer.run(topology(job), StreamsScorer.settings(job, true));
  }
}
