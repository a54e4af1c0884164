/** Writes tiny ONNX files for tests: just enough protobuf (field numbers from onnx.proto). */

const varint = (value: number): number[] => {
  const out: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) out.push((value % 128) | 0x80);
  return [...out, value];
};
export const int = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
export const bytes = (field: number, value: readonly number[]): number[] => [
  ...varint(field * 8 + 2),
  ...varint(value.length),
  ...value,
];
export const text = (field: number, value: string): number[] => bytes(field, [...Buffer.from(value)]);

const FLOAT = 1;

export const tensor = (name: string, dims: readonly number[], values: readonly number[]): number[] => [
  ...dims.flatMap(d => int(1, d)),
  ...int(2, FLOAT),
  ...text(8, name),
  ...bytes(9, [...new Uint8Array(Float32Array.from(values).buffer)]),
];

export const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  domain = '',
): number[] => [
  ...inputs.flatMap(name => text(1, name)),
  ...outputs.flatMap(name => text(2, name)),
  ...text(4, op),
  ...(domain === '' ? [] : text(7, domain)),
];

const valueInfo = (name: string, shape: readonly (number | string)[]): number[] => {
  const dims = shape.flatMap(d => bytes(1, typeof d === 'number' ? int(1, d) : text(2, d)));
  return [...text(1, name), ...bytes(2, bytes(1, [...int(1, FLOAT), ...bytes(2, dims)]))];
};

export interface Graph {
  readonly nodes: readonly (readonly number[])[];
  readonly tensors?: readonly (readonly number[])[];
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly opsets?: Readonly<Record<string, number>>;
}

export const model = (graph: Graph): Uint8Array<ArrayBuffer> => {
  const inner = [
    ...graph.nodes.flatMap(n => bytes(1, n)),
    ...text(2, 'test'),
    ...(graph.tensors ?? []).flatMap(t => bytes(5, t)),
    ...Object.entries(graph.inputs).flatMap(([name, shape]) => bytes(11, valueInfo(name, shape))),
    ...Object.entries(graph.outputs).flatMap(([name, shape]) => bytes(12, valueInfo(name, shape))),
  ];
  return Uint8Array.from([
    ...int(1, 8),
    ...bytes(7, inner),
    ...Object.entries(graph.opsets ?? { '': 13 }).flatMap(([domain, version]) =>
      bytes(8, [...(domain === '' ? [] : text(1, domain)), ...int(2, version)]),
    ),
  ]);
};

/** score = sigmoid(x . [1, -2, 0.5] + 0.25), over rows [N, 3]; also gives the row itself as `echo`. */
export const linear = (batch: number | string = 'N'): Uint8Array<ArrayBuffer> =>
  model({
    nodes: [
      node('MatMul', ['x', 'w'], ['dot']),
      node('Add', ['dot', 'b'], ['sum']),
      node('Sigmoid', ['sum'], ['score']),
      node('Identity', ['x'], ['echo']),
    ],
    tensors: [tensor('w', [3, 1], [1, -2, 0.5]), tensor('b', [1], [0.25])],
    inputs: { x: [batch, 3] },
    outputs: { score: [batch, 1], echo: [batch, 3] },
  });

/** What `linear` answers, worked out here. */
export const linearScore = ([a, b, c]: readonly number[]): number =>
  1 / (1 + Math.exp(-(a! - 2 * b! + 0.5 * c! + 0.25)));

/** y = x + x, time-major [2, N, 3]. */
export const twice = (batch: number | string): Uint8Array<ArrayBuffer> =>
  model({
    nodes: [node('Add', ['x', 'x'], ['y'])],
    inputs: { x: [2, batch, 3] },
    outputs: { y: [2, batch, 3] },
  });
