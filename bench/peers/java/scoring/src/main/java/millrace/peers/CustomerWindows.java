package millrace.peers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import org.apache.avro.Schema;

/**
 * Number and mean amount of a customer's payments in (t - d, t] for d of 1, 7 and 30 days, by hand: the payment stays in its
 * bytes, and so does what is known of a customer (time and cents of each payment of the last 30 days, in order). Payments
 * of a customer come in order; nothing is said of late ones or of duplicates.
 */
public final class CustomerWindows {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle DOUBLE =
      MethodHandles.byteArrayViewVarHandle(double[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle FLOAT =
      MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final byte[] HEX = "0123456789abcdef".getBytes(UTF_8);
  private static final int HEAD_BYTES = 5;
  private static final int HASH_BYTES = 16;
  private static final long DAY_MS = 86_400_000L;
  private static final long[] WINDOWS_MS = {DAY_MS, 7 * DAY_MS, 30 * DAY_MS};
  private static final double CENTS = 100;
  private static final int ENTRY_BYTES = 2 * Long.BYTES;
  /** A vector is its payment and at most this. */
  private static final int ADDED_BYTES_MAX = 512;

  private static final String IN =
      "eventId revision withdrawn sequence txAt customerId terminalId amount lineage";
  private static final String OUT =
      "eventId revision sequence entity eventTime appendTime featureSet featureSetHash late sourceTopic"
          + " sourcePartition sourceOffset inputHash runId traceparent viewAges entityAges event features";
  private static final String FEATURES =
      "customerTxCount1d customerAvgAmount1d customerTxCount7d customerAvgAmount7d customerTxCount30d"
          + " customerAvgAmount30d";

  private final int schemaId;
  private final byte[] set;
  private final byte[] topic;
  private final byte[] run;
  private final MessageDigest digest;
  private final int[] counts = new int[WINDOWS_MS.length];
  private final long[] cents = new long[WINDOWS_MS.length];
  private byte[] slab = new byte[2 * ADDED_BYTES_MAX];
  /** Of the payment in hand: where its fields begin, and what they say. */
  private byte[] payment;
  private int identityEnd, sequenceAt, sequenceEnd, timeEnd, customerAt, customerEnd, eventEnd;
  private long time;
  private double amount;
  /** Seconds since the customer's payment before; -1: there was none. */
  private long age;
  /** Cursor of reading, then of writing. */
  private int at;

  public CustomerWindows(Job job) throws NoSuchAlgorithmException {
    checkLayout(job);
    schemaId = job.outSchemaId();
    byte[] version = new byte[10];
    byte[] hash = text(job.featureSetHash());
    int length = writeLong(version, 0, job.featureSet());
    set = Arrays.copyOf(version, length + hash.length + 1); // ends with 0: not late
    System.arraycopy(hash, 0, set, length, hash.length);
    topic = text(job.inTopic());
    run = text("live");
    digest = MessageDigest.getInstance("SHA-256");
  }

  private static void checkLayout(Job job) {
    Schema in = new Schema.Parser().parse(job.inSchema());
    Schema out = new Schema.Parser().parse(job.outSchema());
    boolean fits =
        names(in).equals(IN)
            && names(out).equals(OUT)
            && out.getField("viewAges").schema().getFields().size() == 1
            && out.getField("entityAges").schema().getFields().size() == 1
            && names(out.getField("event").schema()).equals("customerId terminalId amount")
            && names(out.getField("features").schema()).equals(FEATURES);
    if (!fits) throw new IllegalStateException("the schemas are not those that this was written for");
  }

  private static String names(Schema record) {
    return String.join(" ", record.getFields().stream().map(Schema.Field::name).toList());
  }

  private static byte[] text(String value) {
    byte[] bytes = value.getBytes(UTF_8);
    byte[] whole = new byte[bytes.length + 5];
    int length = writeLong(whole, 0, bytes.length);
    System.arraycopy(bytes, 0, whole, length, bytes.length);
    return Arrays.copyOf(whole, length + bytes.length);
  }

  private static int writeLong(byte[] into, int at, long value) {
    long rest = (value << 1) ^ (value >> 63);
    for (; (rest & ~0x7fL) != 0; rest >>>= 7) into[at++] = (byte) (rest | 0x80);
    into[at++] = (byte) rest;
    return at;
  }

  private long readLong() {
    long rest = 0;
    for (int shift = 0; ; shift += 7) {
      byte one = payment[at++];
      rest |= (long) (one & 0x7f) << shift;
      if (one >= 0) return (rest >>> 1) ^ -(rest & 1);
    }
  }

  private void skipText() {
    int length = (int) readLong();
    at += length;
  }

  /** Reads a payment, of which everything after is said. */
  public void read(byte[] value) {
    payment = value;
    at = HEAD_BYTES;
    skipText(); // event id
    readLong(); // revision
    identityEnd = at;
    at++; // not withdrawn
    sequenceAt = at;
    readLong();
    sequenceEnd = at;
    time = readLong();
    timeEnd = at;
    customerAt = at;
    skipText();
    customerEnd = at;
    skipText(); // terminal
    amount = (double) DOUBLE.get(payment, at);
    eventEnd = at + Double.BYTES;
  }

  public String customer() {
    at = customerAt;
    int length = (int) readLong();
    return new String(payment, at, length, UTF_8);
  }

  /** What is known of the customer with this payment; `before` is null at first and stays as it was. */
  public byte[] fold(byte[] before) {
    int end = before == null ? 0 : before.length;
    int from = 0;
    while (from < end && (long) LONG.get(before, from) <= time - WINDOWS_MS[WINDOWS_MS.length - 1])
      from += ENTRY_BYTES;
    age = end == 0 ? -1 : Math.floorDiv(time - (long) LONG.get(before, end - ENTRY_BYTES), 1000L);
    byte[] after = new byte[end - from + ENTRY_BYTES];
    if (end > from) System.arraycopy(before, from, after, 0, end - from);
    LONG.set(after, end - from, time);
    LONG.set(after, end - from + Long.BYTES, Math.round(amount * CENTS));
    int entry = after.length;
    long sum = 0;
    for (int w = 0; w < WINDOWS_MS.length; w++) {
      for (; entry > 0 && (long) LONG.get(after, entry - ENTRY_BYTES) > time - WINDOWS_MS[w]; entry -= ENTRY_BYTES)
        sum += (long) LONG.get(after, entry - Long.BYTES);
      counts[w] = (after.length - entry) / ENTRY_BYTES;
      cents[w] = sum;
    }
    return after;
  }

  private void copy(byte[] from, int start, int end) {
    System.arraycopy(from, start, slab, at, end - start);
    at += end - start;
  }

  private void putInputHash() {
    byte[] hash = digest.digest(payment);
    slab[at++] = (byte) (2 * 2 * HASH_BYTES); // length of the text, as Avro writes it
    for (int i = 0; i < HASH_BYTES; i++) {
      slab[at++] = HEX[(hash[i] >> 4) & 0xf];
      slab[at++] = HEX[hash[i] & 0xf];
    }
  }

  /** The vector of the payment that was folded last; it stood at this place. */
  public byte[] vector(int partition, long offset, long appendTime) {
    if (slab.length < payment.length + ADDED_BYTES_MAX) slab = new byte[payment.length + ADDED_BYTES_MAX];
    slab[0] = 0;
    INT.set(slab, 1, schemaId);
    at = HEAD_BYTES;
    copy(payment, HEAD_BYTES, identityEnd);
    copy(payment, sequenceAt, sequenceEnd);
    copy(payment, customerAt, customerEnd); // the entity
    copy(payment, sequenceEnd, timeEnd);
    at = writeLong(slab, at, appendTime);
    copy(set, 0, set.length);
    copy(topic, 0, topic.length);
    at = writeLong(slab, at, partition);
    at = writeLong(slab, at, offset);
    putInputHash();
    copy(run, 0, run.length);
    slab[at++] = 0; // no trace context
    slab[at++] = 0; // one stream, so the view is behind nothing
    at = writeLong(slab, at, age);
    copy(payment, customerAt, eventEnd);
    for (int w = 0; w < WINDOWS_MS.length; w++) {
      FLOAT.set(slab, at, (float) counts[w]);
      FLOAT.set(slab, at + Float.BYTES, (float) (cents[w] / CENTS / counts[w]));
      at += 2 * Float.BYTES;
    }
    return Arrays.copyOf(slab, at);
  }
}
