import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Manifest } from '../manifest/manifest.ts';
import { parseManifest } from '../manifest/parse.ts';
import { inspectOnnx, NotOnnx } from '../proto/inspect.ts';
import { ModelRefused } from '../refused.ts';

/** A model's files, checked and read once: nothing is taken from the folder afterwards. */
export interface ModelFiles {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly bytes: Uint8Array;
}

const MANIFEST = 'manifest.json';
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;
const MODEL_BYTES_MAX = 2 ** 31 - 1; // the size of one protobuf message

/** Domains whose operators the engine brings along. */
const DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft']);

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** A link may lead anywhere, so a file counts only where it really lies in the folder. */
const readInside = async (folder: string, name: string, bytesMax: number): Promise<Uint8Array> => {
  const path = join(folder, name);
  try {
    const real = await realpath(path);
    if (!real.startsWith((await realpath(folder)) + sep))
      throw new ModelRefused(folder, [`${name} leads out of the folder`]);
    const { size } = await stat(real);
    if (size > bytesMax) throw new ModelRefused(folder, [`${name} is larger than ${bytesMax} bytes`]);
    return await readFile(real);
  } catch (cause) {
    if (cause instanceof ModelRefused) throw cause;
    throw new ModelRefused(folder, [`${name} cannot be read: ${reason(cause)}`], cause);
  }
};

/** @throws ModelRefused with every mistake of the manifest */
export const readManifest = async (folder: string): Promise<Manifest> => {
  const bytes = await readInside(folder, MANIFEST, MANIFEST_BYTES_MAX);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ModelRefused(folder, [`${MANIFEST} is no JSON: ${reason(cause)}`], cause);
  }
  const manifest = parseManifest(json);
  if ('name' in manifest) return manifest;
  throw new ModelRefused(folder, manifest);
};

const onnxProblems = (bytes: Uint8Array): readonly string[] => {
  try {
    const facts = inspectOnnx(bytes);
    const unknown = [...facts.domains, ...facts.opsets.keys()].filter(domain => !DOMAINS.has(domain));
    return [
      ...(unknown.length > 0 ? [`unknown operator domains: ${[...new Set(unknown)].join(', ')}`] : []),
      ...(facts.externalTensors.length > 0
        ? [`${facts.externalTensors.length} tensors lie in another file; a model is one file`]
        : []),
    ];
  } catch (cause) {
    if (cause instanceof NotOnnx) return [cause.message];
    throw cause;
  }
};

/**
 * Reads a model folder: manifest, then the ONNX file once, whose digest must be the manifest's.
 * @throws ModelRefused naming what is wrong
 */
export const readModelFolder = async (folder: string): Promise<ModelFiles> => {
  const manifest = await readManifest(folder);
  const bytes = await readInside(folder, manifest.file, MODEL_BYTES_MAX);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== manifest.sha256)
    throw new ModelRefused(folder, [
      `${manifest.file} has the digest ${digest}, the manifest says ${manifest.sha256}`,
    ]);
  const problems = onnxProblems(bytes);
  if (problems.length > 0) throw new ModelRefused(folder, problems);
  return { folder, manifest, bytes };
};

/** Folders with a manifest, one or two levels below `root`: `fraud/`, or `fraud/2/`. Sorted; links are not followed. */
export const modelFolders = async (root: string): Promise<readonly string[]> => {
  const isFolder = async (path: string): Promise<boolean> => (await lstat(path)).isDirectory();
  const below = async (folder: string, depth: number): Promise<string[]> => {
    const names = (await readdir(folder)).sort();
    if (depth > 0 && names.includes(MANIFEST)) return [folder];
    if (depth === 2) return [];
    const found: string[] = [];
    for (const name of names) {
      const path = join(folder, name);
      if (await isFolder(path)) found.push(...(await below(path, depth + 1)));
    }
    return found;
  };
  return below(root, 0);
};
