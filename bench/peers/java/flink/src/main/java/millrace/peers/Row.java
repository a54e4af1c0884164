package millrace.peers;

/** A record on its way through Flink: a vector, then its prediction. */
public final class Row {
  public byte[] key;
  public byte[] value;
  public int partition;
  public long offset;

  public Row() {}

  Row(byte[] key, byte[] value, int partition, long offset) {
    this.key = key;
    this.value = value;
    this.partition = partition;
    this.offset = offset;
  }

  Row with(byte[] prediction) {
    return new Row(key, prediction, partition, offset);
  }
}
