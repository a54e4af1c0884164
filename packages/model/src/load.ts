import { goldenProblems } from './batch/golden.ts';
import { type ModelFiles, readModelFolder } from './folder/read.ts';
import { inputWidth, type Manifest } from './manifest/manifest.ts';
import { ModelRefused } from './refused.ts';
import type { Scorer } from './scorer.ts';

/** A model that may be asked: its bytes are what the manifest says, and its golden rows came out right. */
export interface Model {
  readonly manifest: Manifest;
  readonly scorer: Scorer;
  readonly widths: { readonly input: number; readonly output: number };
  close(): Promise<void>;
}

/** Makes a scorer of verified bytes: `onnxScorer` in this thread, `workerScorer` in its own. */
export type MakeScorer = (bytes: Uint8Array, manifest: Manifest) => Promise<Scorer>;

const refusal = (files: ModelFiles, cause: unknown): ModelRefused =>
  cause instanceof ModelRefused
    ? cause
    : new ModelRefused(files.folder, [cause instanceof Error ? cause.message : String(cause)], cause);

/**
 * Reads, checks, loads and warms a model, and has it answer its golden rows. A failure leaves nothing behind.
 * @throws ModelRefused with the reasons
 */
export const loadModel = async (folder: string, make: MakeScorer): Promise<Model> => {
  const files = await readModelFolder(folder);
  const { manifest } = files;
  let scorer: Scorer;
  try {
    scorer = await make(files.bytes, manifest);
  } catch (cause) {
    throw refusal(files, cause);
  }
  try {
    const problems = await goldenProblems(scorer, manifest);
    if (problems.length > 0) throw new ModelRefused(folder, problems);
  } catch (cause) {
    await scorer.close();
    throw refusal(files, cause);
  }
  return {
    manifest,
    scorer,
    widths: { input: inputWidth(manifest), output: manifest.outputs.length },
    close: () => scorer.close(),
  };
};
