package millrace.peers;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.List;

/** What a peer is told, as the bench writes it (bench/src/job.ts); it says more than every peer needs. */
public record Job(
    String contestant,
    String bootstrap,
    String group,
    String inTopic,
    String outTopic,
    boolean exactlyOnce,
    /** Milliseconds between commits of those who commit by themselves. */
    int commitMs,
    /** For what a peer keeps on disk. */
    String folder,
    String inSchema,
    String outSchema,
    int outSchemaId,
    String pipeline,
    List<Decision> decisions,
    Model model,
    /** Version and hash of the feature set that a peer computes; nothing where it scores. */
    int featureSet,
    String featureSetHash) {

  /** The first whose bound the first output reaches; the last one has none. */
  public record Decision(String name, Double atLeast) {}

  public record Model(
      String file,
      String name,
      String version,
      String sha256,
      String input,
      List<String> features,
      List<Output> outputs) {}

  public record Output(String name, String tensor, int column) {}

  public static Job read(String file) throws IOException {
    return new ObjectMapper()
        .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false)
        .readValue(new File(file), Job.class);
  }

  public String decisionOf(float score) {
    for (Decision decision : decisions)
      if (decision.atLeast() == null || score >= decision.atLeast()) return decision.name();
    throw new IllegalStateException("the last decision has no bound");
  }
}
