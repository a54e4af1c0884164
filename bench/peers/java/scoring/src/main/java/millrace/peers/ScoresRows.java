package millrace.peers;

import java.util.Arrays;

/** As by hand, and of the answer no more than who wants scores alone would write: what the rest costs shows beside it. */
final class ScoresRows extends TunedRows {
  private final byte[] model;

  ScoresRows(Job job, int sizeMax) throws Exception {
    super(job, sizeMax, "eventId entity outputs modelVersion modelDigest vectorOffset");
    model = texts(job.model().version(), job.model().sha256());
  }

  @Override
  public byte[] prediction(int row) {
    byte[] vector = vectors[row];
    begin(vector);
    at = HEAD_BYTES;
    skipText(vector);
    int idEnd = at;
    skipNumber(vector); // revision
    skipNumber(vector); // sequence
    int entityAt = at;
    skipText(vector);
    int entityEnd = at;
    at = HEAD_BYTES;
    copy(vector, HEAD_BYTES, idEnd);
    copy(vector, entityAt, entityEnd);
    putOutputs(row);
    put(model);
    at = writeLong(slab, at, offsets[row]);
    return Arrays.copyOf(slab, at);
  }
}
