/** Writes an ONNX file of dense layers with ReLU between them: as much protobuf as that takes (field numbers of onnx.proto). */

const FLOAT = 1;
const LENGTH_DELIMITED = 2;
const IR_VERSION = 8;
const OPSET = 13;

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
};
const int = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, ...parts: readonly Uint8Array[]): Buffer => {
  const value = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + LENGTH_DELIMITED), varint(value.length), value]);
};
const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value));

export interface Dense {
  /** Row after row: one for each input, one value in it for each output. */
  readonly weights: Float32Array;
  readonly biases: Float32Array;
}

const tensor = (name: string, dimensions: readonly number[], values: Float32Array): Buffer =>
  Buffer.concat([
    ...dimensions.map(size => int(1, size)),
    int(2, FLOAT),
    text(8, name),
    bytes(9, Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
  ]);

const node = (operator: string, inputs: readonly string[], output: string): Buffer =>
  Buffer.concat([...inputs.map(name => text(1, name)), text(2, output), text(4, operator)]);

/** A table of floats with as many rows as there are. */
const table = (name: string, columns: number): Buffer => {
  const shape = Buffer.concat([bytes(1, text(2, 'N')), bytes(1, int(1, columns))]);
  return Buffer.concat([text(1, name), bytes(2, bytes(1, int(1, FLOAT), bytes(2, shape)))]);
};

export const ONNX_INPUT = 'features';
export const ONNX_OUTPUT = 'output';

/** @param sizes values before the first layer, and after each */
export const denseNetwork = (sizes: readonly number[], layers: readonly Dense[]): Buffer => {
  const nodes: Buffer[] = [];
  const tensors: Buffer[] = [];
  let from = ONNX_INPUT;
  layers.forEach(({ weights, biases }, i) => {
    const last = i === layers.length - 1;
    const to = last ? ONNX_OUTPUT : `dense${i}`;
    tensors.push(tensor(`w${i}`, [sizes[i]!, sizes[i + 1]!], weights));
    tensors.push(tensor(`b${i}`, [sizes[i + 1]!], biases));
    nodes.push(node('Gemm', [from, `w${i}`, `b${i}`], to));
    if (!last) nodes.push(node('Relu', [to], `relu${i}`));
    from = `relu${i}`;
  });
  const graph = [
    ...nodes.map(one => bytes(1, one)),
    text(2, 'dense'),
    ...tensors.map(one => bytes(5, one)),
    bytes(11, table(ONNX_INPUT, sizes[0]!)),
    bytes(12, table(ONNX_OUTPUT, sizes.at(-1)!)),
  ];
  return Buffer.concat([int(1, IR_VERSION), bytes(7, ...graph), bytes(8, int(2, OPSET))]);
};

/** What the network answers to a row, worked out here in double precision. */
export const denseAnswer = (row: readonly number[], layers: readonly Dense[]): readonly number[] =>
  layers.reduce<readonly number[]>((values, { weights, biases }, i) => {
    const width = biases.length;
    const sums = Array.from(biases, (bias, to) =>
      values.reduce((sum, value, at) => sum + value * weights[at * width + to]!, bias),
    );
    return i === layers.length - 1 ? sums : sums.map(sum => Math.max(0, sum));
  }, row);
