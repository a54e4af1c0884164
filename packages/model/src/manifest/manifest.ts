export const TENSOR_TYPES = ['float32', 'float64', 'int32', 'int64'] as const;
export type TensorType = (typeof TENSOR_TYPES)[number];

/** One input of the ONNX graph. `N` stands for the batch and occurs once: `["N", 15]`, time-major `[7, "N", 220]`. */
export interface InputTensor {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly (number | 'N')[];
}

/** A named figure of a prediction, and where the graph gives it. */
export interface ModelOutput {
  readonly name: string;
  /** Name of the graph's output. */
  readonly tensor: string;
  /** Which of the row's values, counted over all dimensions but the batch; `probabilities` [N, 2] has 0 and 1. */
  readonly column: number;
  /** Dimension of the graph's output that counts rows. */
  readonly batchAxis: number;
}

/** Rows with known answers. A model that answers otherwise is not offered. */
export interface Golden {
  /** Input rows in the order of `features`; NaN (in JSON: null) is missing. */
  readonly rows: readonly (readonly number[])[];
  /** Answers in the order of `outputs`. */
  readonly outputs: readonly (readonly number[])[];
  /** Largest `|a-b| / max(1, |b|)` that passes. */
  readonly tolerance: number;
}

/** `manifest.json` of a model folder: what the model needs, what it answers, and where it comes from. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  /** Name of the ONNX file in the same folder, and its SHA-256 in hex. */
  readonly file: string;
  readonly sha256: string;
  /** Inputs in order: a row's values are dealt to them one after the other. */
  readonly inputs: readonly InputTensor[];
  /** Names of a row's values in order; as many as all inputs take for one row. */
  readonly features: readonly string[];
  readonly outputs: readonly ModelOutput[];
  /** The only vectors it may be asked about. */
  readonly featureSet: { readonly pipeline: string; readonly version: number; readonly hash: string };
  /** Execution providers in order of preference; `cpu` is always there. */
  readonly providers: readonly string[];
  /** Rows of each engine call, where the graph takes no other number: shorter batches are padded, longer ones split. */
  readonly fixedBatch?: number;
  readonly golden: Golden;
  readonly training: { readonly data: string; readonly seed: number; readonly commit: string };
  readonly license: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

const product = (dimensions: readonly (number | 'N')[]): number =>
  dimensions.reduce<number>((size, d) => (d === 'N' ? size : size * d), 1);

/** Values that one row gives to this input. */
export const widthOf = (input: InputTensor): number => product(input.shape);

/** Values of one row over all inputs. */
export const inputWidth = (manifest: Pick<Manifest, 'inputs'>): number =>
  manifest.inputs.reduce((sum, input) => sum + widthOf(input), 0);
