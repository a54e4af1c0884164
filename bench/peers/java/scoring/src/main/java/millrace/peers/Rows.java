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

  /** Avro's generic records, or bytes copied by hand, into whole predictions or scores alone. */
  static Rows of(Job job, Codec codec, int sizeMax) throws Exception {
    return switch (codec) {
      case GENERIC -> new GenericRows(job, sizeMax);
      case TUNED -> new TunedRows(job, sizeMax);
      case SCORES -> new ScoresRows(job, sizeMax);
    };
  }

  enum Codec {
    GENERIC,
    TUNED,
    SCORES
  }
}
