package millrace.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** ONNX Runtime on one thread, fed from a buffer outside the heap. */
public final class Engine {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final Job.Model model;
  private final Set<String> tensors = new LinkedHashSet<>();
  private final ByteBuffer inputBytes;
  private final FloatBuffer input;
  private final float[] answers;

  public Engine(Job.Model model, int rowsMax) throws OrtException {
    this.model = model;
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    session = environment.createSession(model.file(), options);
    for (Job.Output output : model.outputs()) tensors.add(output.tensor());
    inputBytes =
        ByteBuffer.allocateDirect(rowsMax * width() * Float.BYTES).order(ByteOrder.nativeOrder());
    input = inputBytes.asFloatBuffer();
    answers = new float[rowsMax * model.outputs().size()];
  }

  public int width() {
    return model.features().size();
  }

  /** Values of row r are at r * width(). */
  public FloatBuffer input() {
    return input;
  }

  /** The same memory. */
  public ByteBuffer inputBytes() {
    return inputBytes;
  }

  /** Answers of the first rows, each row's outputs side by side; valid until the next call. */
  public float[] run(int rows) throws OrtException {
    FloatBuffer rowsOfInput = input.duplicate().position(0).limit(rows * width());
    List<Job.Output> outputs = model.outputs();
    try (OnnxTensor fed =
            OnnxTensor.createTensor(environment, rowsOfInput, new long[] {rows, width()});
        OrtSession.Result result = session.run(Map.of(model.input(), fed), tensors)) {
      for (String name : tensors) {
        OnnxTensor tensor = (OnnxTensor) result.get(name).orElseThrow();
        FloatBuffer values = tensor.getFloatBuffer();
        int columns = values.remaining() / rows;
        for (int o = 0; o < outputs.size(); o++) {
          if (!outputs.get(o).tensor().equals(name)) continue;
          int column = outputs.get(o).column();
          for (int r = 0; r < rows; r++)
            answers[r * outputs.size() + o] = values.get(r * columns + column);
        }
      }
    }
    return answers;
  }
}
