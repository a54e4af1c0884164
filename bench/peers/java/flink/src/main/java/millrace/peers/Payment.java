package millrace.peers;

/** A payment on its way through Flink. */
public final class Payment {
  public String customer;
  public byte[] value;
  public int partition;
  public long offset;
  public long appendTime;

  public Payment() {}

  Payment(String customer, byte[] value, int partition, long offset, long appendTime) {
    this.customer = customer;
    this.value = value;
    this.partition = partition;
    this.offset = offset;
    this.appendTime = appendTime;
  }
}
