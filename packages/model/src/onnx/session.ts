import { InferenceSession, listSupportedBackends, type Tensor } from 'onnxruntime-node';
import type { InputTensor, Manifest } from '../manifest/manifest.ts';

type Metadata = InferenceSession.ValueMetadata;

/** The first preference that this build of the engine has; it always has `cpu`. */
export const chooseProvider = (preferences: readonly string[]): string => {
  const here = new Set(listSupportedBackends().map(backend => backend.name));
  return preferences.find(name => name === 'cpu' || here.has(name)) ?? 'cpu';
};

const inputProblems = (input: InputTensor, found: Metadata | undefined, fixedBatch?: number): string[] => {
  if (found === undefined) return [`the graph has no input ${input.name}`];
  if (!found.isTensor) return [`input ${input.name} is a sequence or a map, not a tensor`];
  const problems: string[] = [];
  if (found.type !== (input.type as Tensor.Type))
    problems.push(`input ${input.name} is ${found.type}, the manifest says ${input.type}`);
  const fits =
    found.shape.length === input.shape.length &&
    input.shape.every((wanted, i) => {
      const has = found.shape[i]!;
      if (typeof has === 'string') return true;
      return wanted === 'N' ? has === fixedBatch : has === wanted;
    });
  if (!fits)
    problems.push(
      `input ${input.name} has shape [${found.shape.join(', ')}], the manifest says [${input.shape.join(', ')}]` +
        (fixedBatch === undefined ? '' : ` with a fixed batch of ${fixedBatch}`),
    );
  return problems;
};

const outputProblems = (name: string, found: Metadata | undefined): string[] => {
  if (found === undefined) return [`the graph has no output ${name}`];
  if (!found.isTensor)
    return [
      `output ${name} is a sequence or a map, which the engine cannot hand over: convert the model without ZipMap`,
    ];
  return found.type === 'string' || found.type === 'bool'
    ? [`output ${name} holds ${found.type}, not numbers`]
    : [];
};

/** @returns where graph and manifest disagree, each a sentence; empty when they fit */
export const sessionProblems = (session: InferenceSession, manifest: Manifest): readonly string[] => {
  const inputs = new Map(session.inputMetadata.map(m => [m.name, m]));
  const outputs = new Map(session.outputMetadata.map(m => [m.name, m]));
  const named = new Set(manifest.inputs.map(input => input.name));
  return [
    ...manifest.inputs.flatMap(input => inputProblems(input, inputs.get(input.name), manifest.fixedBatch)),
    ...[...inputs.keys()]
      .filter(name => !named.has(name))
      .map(name => `the manifest does not name input ${name}`),
    ...[...new Set(manifest.outputs.map(o => o.tensor))].flatMap(name =>
      outputProblems(name, outputs.get(name)),
    ),
  ];
};

/**
 * Opens a session over verified bytes: one thread, in order, and no spinning, which would burn a core while idle. The
 * engine refuses models it cannot run; what it would hand over in part is refused by `sessionProblems`.
 */
export const openSession = (bytes: Uint8Array, provider: string): Promise<InferenceSession> =>
  InferenceSession.create(bytes, {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  });
