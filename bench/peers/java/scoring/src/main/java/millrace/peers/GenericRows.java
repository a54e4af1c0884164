package millrace.peers;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/** With Avro's generic records, which are used again, as are decoder and encoder. */
final class GenericRows implements Rows {
  private static final int HEAD_BYTES = 5;
  private final Job job;
  private final Engine engine;
  private final int sizeMax;
  private final Schema in;
  private final GenericDatumReader<GenericRecord> reader;
  private final GenericDatumWriter<GenericRecord> writer;
  private final GenericRecord[] vectors;
  private final long[] offsets;
  private final GenericRecord prediction;
  private final GenericRecord outputs;
  private final GenericRecord kpis;
  /** Positions of fields that are taken over: of the vector's, then of the prediction's, by turns. */
  private final int[] copied;
  private final int[] featurePositions;
  private final byte[] head;
  private final PredictionId ids;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
  private BinaryDecoder decoder;
  private BinaryEncoder encoder;
  private float[] answers;
  private int size;
  private long calls;

  GenericRows(Job job, int sizeMax) throws Exception {
    this.job = job;
    this.sizeMax = sizeMax;
    engine = new Engine(job.model(), sizeMax);
    in = new Schema.Parser().parse(job.inSchema());
    Schema out = new Schema.Parser().parse(job.outSchema());
    reader = new GenericDatumReader<>(in);
    writer = new GenericDatumWriter<>(out);
    vectors = new GenericRecord[sizeMax];
    offsets = new long[sizeMax];
    prediction = new GenericData.Record(out);
    outputs = new GenericData.Record(out.getField("outputs").schema());
    kpis = new GenericData.Record(out.getField("kpis").schema());
    List<Integer> positions = new ArrayList<>();
    for (Schema.Field field : out.getFields())
      if (in.getField(field.name()) != null) {
        positions.add(in.getField(field.name()).pos());
        positions.add(field.pos());
      }
    copied = positions.stream().mapToInt(Integer::intValue).toArray();
    Schema features = in.getField("features").schema();
    featurePositions =
        job.model().features().stream().mapToInt(name -> features.getField(name).pos()).toArray();
    head = ByteBuffer.allocate(HEAD_BYTES).put((byte) 0).putInt(job.outSchemaId()).array();
    ids = new PredictionId(job.pipeline());
    putConstants();
  }

  private void putConstants() {
    prediction.put("outputs", outputs);
    prediction.put("kpis", kpis);
    prediction.put("model", job.model().name());
    prediction.put("modelVersion", job.model().version());
    prediction.put("modelDigest", job.model().sha256());
    prediction.put("controlRevision", 1L);
    prediction.put("route", "default");
    prediction.put("routeVersion", 1);
    prediction.put("review", false);
    prediction.put("engine", "cpu");
    prediction.put("arm", "champion");
    prediction.put("role", "answer");
    prediction.put("stale", false);
    prediction.put("seq", 0);
    prediction.put("final", true);
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
  public void add(byte[] vector, long offset) throws Exception {
    decoder =
        DecoderFactory.get()
            .binaryDecoder(vector, HEAD_BYTES, vector.length - HEAD_BYTES, decoder);
    GenericRecord read = reader.read(vectors[size], decoder);
    vectors[size] = read;
    offsets[size] = offset;
    GenericRecord features = (GenericRecord) read.get("features");
    int at = size * featurePositions.length;
    for (int position : featurePositions) engine.input().put(at++, (Float) features.get(position));
    size++;
  }

  @Override
  public void score() throws Exception {
    answers = engine.run(size);
    calls++;
  }

  @Override
  public byte[] prediction(int row) throws Exception {
    GenericRecord vector = vectors[row];
    for (int i = 0; i < copied.length; i += 2) prediction.put(copied[i + 1], vector.get(copied[i]));
    int count = job.model().outputs().size();
    for (int o = 0; o < count; o++) outputs.put(o, answers[row * count + o]);
    float score = answers[row * count];
    GenericRecord event = (GenericRecord) vector.get("event");
    kpis.put("expectedLoss", score * (Double) event.get("amount"));
    int revision = (Integer) vector.get("revision");
    String run = vector.get("runId").toString();
    prediction.put("predictionId", ids.of(vector.get("eventId").toString(), revision, run));
    prediction.put("scoredAt", System.currentTimeMillis());
    prediction.put("decision", job.decisionOf(score));
    prediction.put("vectorOffset", offsets[row]);
    prediction.put("batchId", job.contestant() + "/" + calls);
    bytes.reset();
    bytes.write(head);
    encoder = EncoderFactory.get().binaryEncoder(bytes, encoder);
    writer.write(prediction, encoder);
    encoder.flush();
    return bytes.toByteArray();
  }

  @Override
  public void clear() {
    size = 0;
  }
}
