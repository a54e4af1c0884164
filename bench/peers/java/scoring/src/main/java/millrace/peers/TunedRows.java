package millrace.peers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.avro.Schema;

/**
 * By hand, for these two schemas: a vector stays in its bytes. Its floats go to the engine in one copy, and what the
 * prediction takes over is copied in pieces, between constants that are encoded once.
 */
class TunedRows implements Rows {
  static final VarHandle FLOAT =
      MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle DOUBLE =
      MethodHandles.byteArrayViewVarHandle(double[].class, ByteOrder.LITTLE_ENDIAN);
  static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final byte[] HEX = "0123456789abcdef".getBytes(UTF_8);
  static final int HEAD_BYTES = 5;
  /** A prediction is its vector and at most this. */
  private static final int ADDED_BYTES_MAX = 1024;

  /** Where pieces of a vector end; the piece after begins there. */
  private static final int
      IDENTITY = 0, SET = 1, SOURCE = 2, HASH = 3, RUN = 4, TRACE = 5, AMOUNT = 6, MARKS = 7;

  final Job job;
  private final Engine engine;
  private final int sizeMax;
  private final int featureBytes;
  /** Numbers in the vector's ages, which no prediction takes over. */
  private final int ageCount;
  final byte[][] vectors;
  final long[] offsets;
  private final int[] marks;
  private final byte[] model;
  private final byte[] control;
  private final byte[] progress = {0, 1, 0}; // seq 0, final, supersedes nothing
  private final byte[][] decisions;
  private final PredictionId ids;
  byte[] slab = new byte[4 * ADDED_BYTES_MAX];
  private byte[] batchId;
  float[] answers;
  private int size;
  private long calls;
  /** Cursor of reading, then of writing. */
  int at;

  TunedRows(Job job, int sizeMax) throws Exception {
    this(job, sizeMax, OUT);
  }

  /** @param out names of the fields that are written */
  TunedRows(Job job, int sizeMax, String out) throws Exception {
    this.job = job;
    this.sizeMax = sizeMax;
    Schema in = new Schema.Parser().parse(job.inSchema());
    checkLayout(job, in, out);
    ageCount = ages(in).size();
    engine = new Engine(job.model(), sizeMax);
    featureBytes = engine.width() * Float.BYTES;
    vectors = new byte[sizeMax][];
    offsets = new long[sizeMax];
    marks = new int[sizeMax * MARKS];
    model = texts(job.model().name(), job.model().version(), job.model().sha256());
    // Control revision 1, then route and its version 1, no review, the engine, arm and role, and no fallback.
    control =
        joined(new byte[] {2}, texts("default"), new byte[] {2, 0, 2}, texts("cpu", "champion", "answer"), new byte[] {0});
    decisions = job.decisions().stream().map(one -> texts(one.name())).toArray(byte[][]::new);
    ids = new PredictionId(job.pipeline());
  }

  private static final String IN =
      "eventId revision sequence entity eventTime appendTime featureSet featureSetHash late sourceTopic"
          + " sourcePartition sourceOffset inputHash runId traceparent";
  /** There where a view of the pipeline keeps anything. */
  private static final List<String> AGES = List.of("viewAges", "entityAges");
  private static final String OUT =
      "predictionId eventId revision sequence entity eventTime appendTime scoredAt outputs decision kpis model"
          + " modelVersion modelDigest featureSet featureSetHash controlRevision route routeVersion review engine arm role"
          + " fallback"
          + " late stale sourceTopic sourcePartition sourceOffset vectorOffset inputHash batchId runId seq final"
          + " supersedes traceparent features";

  /** The numbers of all ages, one behind the other. */
  private static List<Schema.Field> ages(Schema in) {
    return AGES.stream()
        .map(in::getField)
        .filter(Objects::nonNull)
        .flatMap(field -> field.schema().getFields().stream())
        .toList();
  }

  private static void checkLayout(Job job, Schema in, String written) {
    Schema out = new Schema.Parser().parse(job.outSchema());
    String event = names(in.getField("event").schema());
    boolean fits =
        (names(in).equals(IN + " event features")
                || names(in).equals(IN + " " + String.join(" ", AGES) + " event features"))
            && ages(in).stream().allMatch(age -> age.schema().getType() == Schema.Type.INT)
            && names(out).equals(written)
            && event.equals("customerId terminalId amount")
            && (out.getField("kpis") == null
                || names(out.getField("kpis").schema()).equals("expectedLoss"))
            && names(in.getField("features").schema()).equals(String.join(" ", job.model().features()));
    if (!fits) throw new IllegalStateException("the schemas are not those that this was written for");
  }

  private static String names(Schema record) {
    return String.join(" ", record.getFields().stream().map(Schema.Field::name).toList());
  }

  static byte[] texts(String... values) {
    byte[][] parts = new byte[2 * values.length][];
    for (int i = 0; i < values.length; i++) {
      byte[] text = values[i].getBytes(UTF_8);
      byte[] length = new byte[5];
      parts[2 * i] = Arrays.copyOf(length, writeLong(length, 0, text.length));
      parts[2 * i + 1] = text;
    }
    return joined(parts);
  }

  private static byte[] joined(byte[]... parts) {
    byte[] whole = new byte[List.of(parts).stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (byte[] part : parts) {
      System.arraycopy(part, 0, whole, at, part.length);
      at += part.length;
    }
    return whole;
  }

  static int writeLong(byte[] into, int at, long value) {
    long rest = (value << 1) ^ (value >> 63);
    for (; (rest & ~0x7fL) != 0; rest >>>= 7) into[at++] = (byte) (rest | 0x80);
    into[at++] = (byte) rest;
    return at;
  }

  private long readLong(byte[] from) {
    long rest = 0;
    for (int shift = 0; ; shift += 7) {
      byte one = from[at++];
      rest |= (long) (one & 0x7f) << shift;
      if (one >= 0) return (rest >>> 1) ^ -(rest & 1);
    }
  }

  final void skipNumber(byte[] from) {
    while (from[at++] < 0) {}
  }

  final void skipText(byte[] from) {
    int length = (int) readLong(from);
    at += length;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public int sizeMax() {
    return sizeMax;
  }

  @Override
  public void add(byte[] vector, long offset) {
    int mark = size * MARKS;
    at = HEAD_BYTES;
    skipText(vector); // event id
    skipNumber(vector); // revision
    skipNumber(vector); // sequence
    skipText(vector); // entity
    skipNumber(vector); // event time
    skipNumber(vector); // append time
    marks[mark + IDENTITY] = at;
    skipNumber(vector); // feature set
    skipText(vector); // its hash
    marks[mark + SET] = at;
    at++; // late
    skipText(vector); // source topic
    skipNumber(vector); // partition
    skipNumber(vector); // offset
    marks[mark + SOURCE] = at;
    skipText(vector); // input hash
    marks[mark + HASH] = at;
    skipText(vector); // run
    marks[mark + RUN] = at;
    if (readLong(vector) == 1) skipText(vector); // trace context
    marks[mark + TRACE] = at;
    for (int i = 0; i < ageCount; i++) skipNumber(vector);
    skipText(vector); // customer
    skipText(vector); // terminal
    marks[mark + AMOUNT] = at;
    engine.inputBytes().put(size * featureBytes, vector, at + Double.BYTES, featureBytes);
    vectors[size] = vector;
    offsets[size] = offset;
    size++;
  }

  @Override
  public void score() throws Exception {
    answers = engine.run(size);
    batchId = texts(job.contestant() + "/" + ++calls);
  }

  final void copy(byte[] from, int start, int end) {
    System.arraycopy(from, start, slab, at, end - start);
    at += end - start;
  }

  final void put(byte[] constant) {
    copy(constant, 0, constant.length);
  }

  /** Leaves the cursor behind it. */
  private void putId(byte[] vector, int mark) {
    at = HEAD_BYTES;
    int idLength = (int) readLong(vector);
    int idAt = at;
    at += idLength;
    int revision = (int) readLong(vector);
    at = marks[mark + HASH];
    int runLength = (int) readLong(vector);
    byte[] id = ids.of(vector, idAt, idLength, revision, vector, at, runLength);
    at = HEAD_BYTES;
    slab[at++] = (byte) (2 * 2 * PredictionId.BYTES); // length of the text, as Avro writes it
    for (int i = 0; i < PredictionId.BYTES; i++) {
      slab[at++] = HEX[(id[i] >> 4) & 0xf];
      slab[at++] = HEX[id[i] & 0xf];
    }
  }

  private byte[] decisionOf(float score) {
    int i = 0;
    for (; job.decisions().get(i).atLeast() != null; i++)
      if (score >= job.decisions().get(i).atLeast()) break;
    return decisions[i];
  }

  /** Room for a prediction of the vector, and its frame. */
  final void begin(byte[] vector) {
    if (slab.length < vector.length + ADDED_BYTES_MAX)
      slab = new byte[vector.length + ADDED_BYTES_MAX];
    slab[0] = 0;
    INT.set(slab, 1, job.outSchemaId());
  }

  /** @return how many there are */
  final int putOutputs(int row) {
    int count = job.model().outputs().size();
    for (int o = 0; o < count; o++, at += Float.BYTES) FLOAT.set(slab, at, answers[row * count + o]);
    return count;
  }

  @Override
  public byte[] prediction(int row) {
    byte[] vector = vectors[row];
    int mark = row * MARKS;
    begin(vector);
    putId(vector, mark);
    copy(vector, HEAD_BYTES, marks[mark + IDENTITY]);
    at = writeLong(slab, at, System.currentTimeMillis());
    int count = putOutputs(row);
    float score = answers[row * count];
    put(decisionOf(score));
    DOUBLE.set(slab, at, score * (double) DOUBLE.get(vector, marks[mark + AMOUNT]));
    at += Double.BYTES;
    put(model);
    copy(vector, marks[mark + IDENTITY], marks[mark + SET]);
    put(control);
    slab[at++] = vector[marks[mark + SET]]; // late
    slab[at++] = 0; // not stale
    copy(vector, marks[mark + SET] + 1, marks[mark + SOURCE]);
    at = writeLong(slab, at, offsets[row]);
    copy(vector, marks[mark + SOURCE], marks[mark + HASH]);
    put(batchId);
    copy(vector, marks[mark + HASH], marks[mark + RUN]);
    put(progress);
    copy(vector, marks[mark + RUN], marks[mark + TRACE]);
    int features = marks[mark + AMOUNT] + Double.BYTES;
    copy(vector, features, features + featureBytes);
    return Arrays.copyOf(slab, at);
  }

  @Override
  public void clear() {
    size = 0;
  }
}
