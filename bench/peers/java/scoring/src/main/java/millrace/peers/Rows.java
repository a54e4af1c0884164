package millrace.peers;

/** Vectors that are scored by one call of the engine, and the predictions made of them. */
public interface Rows {
  int size();

  int sizeMax();

  /** A value of the features topic, frame and all. */
  void add(byte[] vector, long offset) throws Exception;

  void score() throws Exception;

  /** A value of the predictions topic, once scored. */
  byte[] prediction(int row) throws Exception;

  void clear();

  /** Avro's generic records, or bytes copied by hand. */
  static Rows of(Job job, Codec codec, int sizeMax) throws Exception {
    return codec == Codec.TUNED ? new TunedRows(job, sizeMax) : new GenericRows(job, sizeMax);
  }

  enum Codec {
    GENERIC,
    TUNED
  }
}
