import type { Engine } from '@millrace/define';
import { goldenProblems } from './batch/golden.ts';
import { type ModelFiles, readModelFolder } from './folder/read.ts';
import { inputWidth, type Manifest } from './manifest/manifest.ts';
import { ModelRefused } from './refused.ts';
import type { Scorer } from './scorer.ts';

/** A model that may be asked: its bytes are what the manifest says, and its golden rows came out right. */
export interface Model {
  readonly manifest: Manifest;
  /** On what its manifest chooses. */
  readonly scorer: Scorer;
  /** On the other engine; undefined where none was asked for, or it cannot be had. */
  readonly beside: Scorer | undefined;
  readonly widths: { readonly input: number; readonly output: number };
  close(): Promise<void>;
}

/** Makes a scorer of verified bytes: `onnxScorer` in this thread, `workerScorer` in its own. */
export type MakeScorer = (bytes: Uint8Array, manifest: Manifest) => Promise<Scorer>;

/** A second engine for each model, so that rules may choose. */
export interface Beside {
  /** Execution provider of the GPU: `cuda`. */
  readonly gpu: string;
  /** Told why a model is not on its second engine: it answers on its first one alone. */
  readonly refused: (refusal: ModelRefused) => void;
}

/** What an execution provider runs on. */
export const engineOf = (provider: string): Engine => (provider === 'cpu' ? 'cpu' : 'gpu');

const refusal = (files: ModelFiles, cause: unknown): ModelRefused =>
  cause instanceof ModelRefused
    ? cause
    : new ModelRefused(files.folder, [cause instanceof Error ? cause.message : String(cause)], cause);

/** Opens and warms a model, and has it answer its golden rows. @throws ModelRefused; nothing stays open then */
const open = async (files: ModelFiles, make: MakeScorer, providers: readonly string[]): Promise<Scorer> => {
  const manifest = { ...files.manifest, providers };
  let scorer: Scorer;
  try {
    scorer = await make(files.bytes, manifest);
  } catch (cause) {
    throw refusal(files, cause);
  }
  try {
    const problems = await goldenProblems(scorer, manifest);
    if (problems.length > 0) throw new ModelRefused(files.folder, problems);
    return scorer;
  } catch (cause) {
    await scorer.close();
    throw refusal(files, cause);
  }
};

/** The model on the engine that its first scorer is not on; undefined where it cannot be had, and it is told why. */
const openBeside = async (
  files: ModelFiles,
  make: MakeScorer,
  first: Scorer,
  { gpu, refused }: Beside,
): Promise<Scorer | undefined> => {
  const provider = engineOf(first.provider) === 'cpu' ? gpu : 'cpu';
  const told = (problems: readonly string[], cause?: unknown): undefined => {
    refused(new ModelRefused(`${files.folder} on ${provider}`, problems, cause));
  };
  try {
    const scorer = await open(files, make, [provider]);
    if (scorer.provider === provider) return scorer;
    // Where the engine's build does not know the provider, it is on the CPU.
    await scorer.close();
    return told([`this build of the engine has no execution provider '${provider}'`]);
  } catch (cause) {
    if (!(cause instanceof ModelRefused)) throw cause;
    return told(cause.problems, cause);
  }
};

/**
 * Reads, checks, loads and warms a model, and has it answer its golden rows. A failure leaves nothing behind.
 * @param beside a second engine; where it fails the model is offered without
 * @throws ModelRefused with the reasons
 */
export const loadModel = async (folder: string, make: MakeScorer, beside?: Beside): Promise<Model> => {
  const files = await readModelFolder(folder);
  const { manifest } = files;
  const scorer = await open(files, make, manifest.providers);
  let second: Scorer | undefined;
  try {
    second = beside && (await openBeside(files, make, scorer, beside));
  } catch (cause) {
    await scorer.close();
    throw cause;
  }
  return {
    manifest,
    scorer,
    beside: second,
    widths: { input: inputWidth(manifest), output: manifest.outputs.length },
    close: async () => {
      await Promise.all([scorer.close(), second?.close()]);
    },
  };
};
