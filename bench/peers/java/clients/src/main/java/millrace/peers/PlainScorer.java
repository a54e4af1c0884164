package millrace.peers;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A consumer and a producer in one loop, one call of the engine for each poll: `PlainScorer JOB
 * generic|tuned|scores`. */
public final class PlainScorer implements ConsumerRebalanceListener {
  private static final int POLL_RECORDS_MAX = 2000;
  private static final Duration POLL_WAIT = Duration.ofMillis(100);
  private final Job job;
  private final Rows rows;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final KafkaProducer<byte[], byte[]> producer;
  private final AtomicReference<Exception> failed = new AtomicReference<>();
  /** Sent, and not committed yet. */
  private boolean open;
  private long committedNanos = System.nanoTime();
  private volatile boolean over;

  private PlainScorer(Job job, Rows.Codec codec) throws Exception {
    this.job = job;
    rows = Rows.of(job, codec, POLL_RECORDS_MAX);
    consumer =
        new KafkaConsumer<>(
            consumerSettings(job), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    producer =
        new KafkaProducer<>(producerSettings(job), new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static Properties consumerSettings(Job job) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", job.bootstrap());
    settings.put("group.id", job.group());
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", false);
    settings.put("isolation.level", "read_committed");
    settings.put("max.poll.records", POLL_RECORDS_MAX);
    settings.put("fetch.min.bytes", 64 * 1024);
    settings.put("fetch.max.wait.ms", 100);
    return settings;
  }

  private static Properties producerSettings(Job job) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", job.bootstrap());
    settings.put("acks", "all");
    settings.put("linger.ms", 20);
    settings.put("batch.size", 256 * 1024);
    if (job.exactlyOnce()) settings.put("transactional.id", job.group());
    return settings;
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    commit();
  }

  private Map<TopicPartition, OffsetAndMetadata> positions() {
    Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
    for (TopicPartition one : consumer.assignment())
      positions.put(one, new OffsetAndMetadata(consumer.position(one)));
    return positions;
  }

  private void commit() {
    if (!open) return;
    if (job.exactlyOnce()) {
      producer.sendOffsetsToTransaction(positions(), consumer.groupMetadata());
      producer.commitTransaction();
    } else {
      producer.flush();
      if (failed.get() != null) throw new IllegalStateException(failed.get());
      consumer.commitSync(positions());
    }
    open = false;
    committedNanos = System.nanoTime();
  }

  private void answer(List<ConsumerRecord<byte[], byte[]>> records) throws Exception {
    for (ConsumerRecord<byte[], byte[]> record : records) rows.add(record.value(), record.offset());
    rows.score();
    if (!open && job.exactlyOnce()) producer.beginTransaction();
    open = true;
    for (int i = 0; i < records.size(); i++) {
      ConsumerRecord<byte[], byte[]> record = records.get(i);
      producer.send(
          new ProducerRecord<>(job.outTopic(), record.partition(), record.key(), rows.prediction(i)),
          (written, failure) -> {
            if (failure != null) failed.set(failure);
          });
    }
    rows.clear();
  }

  private void run() throws Exception {
    if (job.exactlyOnce()) producer.initTransactions();
    consumer.subscribe(List.of(job.inTopic()), this);
    try {
      while (!over) {
        List<ConsumerRecord<byte[], byte[]>> records = new java.util.ArrayList<>(POLL_RECORDS_MAX);
        consumer.poll(POLL_WAIT).forEach(records::add);
        if (!records.isEmpty()) answer(records);
        if (System.nanoTime() - committedNanos >= job.commitMs() * 1_000_000L) commit();
      }
    } catch (WakeupException stopped) {
      if (!over) throw stopped;
    }
    commit();
    consumer.close();
    producer.close();
  }

  public static void main(String[] arguments) throws Exception {
    Rows.Codec codec = Rows.Codec.valueOf(arguments[1].toUpperCase());
    PlainScorer scorer = new PlainScorer(Job.read(arguments[0]), codec);
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  scorer.over = true;
                  scorer.consumer.wakeup();
                  try {
                    ended.await();
                  } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                  }
                }));
    try {
      scorer.run();
    } finally {
      ended.countDown();
    }
  }
}
