/**
 * Rows to tensors and back. A row's values are dealt to the inputs in order; within an input they keep their order over
 * all dimensions but the batch, wherever the batch stands: `[7, "N", 220]` takes rows of 7 x 220 values, step by step.
 */
import { type InputTensor, type TensorType, widthOf } from '../manifest/manifest.ts';
import type { Rows } from '../scorer.ts';

export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array;

const MAKE: Readonly<Record<TensorType, (size: number) => TensorData>> = {
  float32: size => new Float32Array(size),
  float64: size => new Float64Array(size),
  int32: size => new Int32Array(size),
  int64: size => new BigInt64Array(size),
};

/** Values of one input for rows `from` to `from + count`, and of how many values of a row it takes which. */
export interface Cut {
  readonly from: number;
  readonly count: number;
  /** Rows the tensor has room for, at least `count`; the rest stays zero. */
  readonly slots: number;
  /** Values of a whole row, and where this input's begin. */
  readonly width: number;
  readonly offset: number;
}

export const dimensionsOf = (input: InputTensor, slots: number): number[] =>
  input.shape.map(d => (d === 'N' ? slots : d));

const innerOf = (input: InputTensor): number =>
  input.shape.slice(input.shape.indexOf('N') + 1).reduce<number>((size, d) => size * (d as number), 1);

/** @throws RangeError when a value has no place in the tensor's type: a missing value in an int64 input */
export const inputData = (input: InputTensor, batch: Rows, cut: Cut): TensorData => {
  const size = widthOf(input);
  const inner = innerOf(input);
  // The usual case: one float32 input, rows first, no padding. The tensor is a view of the batch, nothing is copied.
  if (input.type === 'float32' && inner === size && cut.width === size && cut.slots === cut.count)
    return batch.data.subarray(cut.from * size, (cut.from + cut.count) * size);
  const data = MAKE[input.type](cut.slots * size);
  for (let slot = 0; slot < cut.count; slot++) {
    const row = (cut.from + slot) * cut.width + cut.offset;
    for (let k = 0; k < size; k++) {
      const at = (Math.floor(k / inner) * cut.slots + slot) * inner + (k % inner);
      const value = batch.data[row + k]!;
      if (data instanceof BigInt64Array) data[at] = BigInt(value);
      else if (data instanceof Int32Array && !Number.isInteger(value))
        throw new RangeError(`input ${input.name} takes whole numbers`);
      else data[at] = value;
    }
  }
  return data;
};

/** One figure of each row, read from a graph's output. */
export interface OutputTensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/**
 * Writes one output of rows 0 to `count` of the tensor into column `to` of rows `from` and on.
 * @throws RangeError when the tensor has no such column or too few rows
 */
export const readOutput = (
  tensor: OutputTensor,
  output: { readonly tensor: string; readonly column: number; readonly batchAxis: number },
  into: { readonly data: Float32Array; readonly from: number; readonly count: number; readonly width: number; readonly to: number }, // prettier-ignore
): void => {
  const slots = tensor.dims[output.batchAxis] ?? 0;
  const inner = tensor.dims.slice(output.batchAxis + 1).reduce((size, d) => size * d, 1);
  const size = slots === 0 ? 0 : tensor.data.length / slots;
  if (slots < into.count || output.column >= size)
    throw new RangeError(
      `output ${output.tensor} has shape [${tensor.dims.join(', ')}], too small for ${into.count} rows, column ${output.column}`,
    );
  const start = Math.floor(output.column / inner) * slots * inner + (output.column % inner);
  for (let slot = 0; slot < into.count; slot++)
    into.data[(into.from + slot) * into.width + into.to] = Number(tensor.data[start + slot * inner]);
};
