package millrace.peers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The first 16 bytes of the SHA-256 of pipeline, event id, revision, run, role and seq, with a NUL between them. */
final class PredictionId {
  static final int BYTES = 16;
  private static final byte[] AFTER = "\0answer\0000".getBytes(UTF_8);
  private final MessageDigest digest;
  private final byte[] before;

  PredictionId(String pipeline) throws NoSuchAlgorithmException {
    digest = MessageDigest.getInstance("SHA-256");
    before = (pipeline + '\0').getBytes(UTF_8);
  }

  /** Valid for its first BYTES. Event id and run are slices of what they stand in. */
  byte[] of(byte[] value, int idAt, int idLength, int revision, byte[] run, int runAt, int runLength) {
    digest.update(before);
    digest.update(value, idAt, idLength);
    digest.update((byte) 0);
    digest.update(Integer.toString(revision).getBytes(UTF_8));
    digest.update((byte) 0);
    digest.update(run, runAt, runLength);
    digest.update(AFTER);
    return digest.digest();
  }

  String of(String eventId, int revision, String run) {
    byte[] id = eventId.getBytes(UTF_8);
    byte[] ofRun = run.getBytes(UTF_8);
    return HexFormat.of().formatHex(of(id, 0, id.length, revision, ofRun, 0, ofRun.length), 0, BYTES);
  }
}
