import type { onnxScorer } from '../../src/onnx/scorer.ts';

/**
 * A test file runs in a realm of its own, whose Float32Array is not the one the engine hands out. So that both mean the
 * same, this realm takes the engine's, before the engine is first loaded. The thread of `workerScorer` has one realm.
 */
export const onnxInThisRealm = (): Promise<{ readonly onnxScorer: typeof onnxScorer }> => {
  const outer = Buffer.constructor as FunctionConstructor;
  for (const name of ['Float32Array', 'Float64Array', 'Int32Array', 'BigInt64Array'])
    Object.defineProperty(globalThis, name, {
      value: outer(`return ${name}`)(),
      configurable: true,
      writable: true,
    });
  return import('../../src/onnx/scorer.ts');
};
