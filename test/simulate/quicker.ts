import type { Mutant } from '../mutants/mutant.ts';

/**
 * Not protections taken away, but work spared that a process does once in its life and a simulation some ten times a
 * seed: compiling schemas, and what follows from a definition alone. All of it is the same from one time to the next.
 */
export const QUICKER: readonly Mutant[] = [
  {
    name: 'keeps-schemas',
    shows: 'schemas are compiled once in a thread',
    file: 'packages/avro/src/schema.ts',
    text: 'export const loadSchema = (text: string, limits: Limits): LoadedSchema => {',
    instead: `const kept = new Map<string, LoadedSchema>();
export const loadSchema = (text: string, limits: Limits): LoadedSchema => {
  const known = kept.get(text) ?? loadSchemaAnew(text, limits);
  kept.set(text, known);
  return known;
};
const loadSchemaAnew = (text: string, limits: Limits): LoadedSchema => {`,
  },
  {
    name: 'keeps-plans',
    shows: 'the plan of a pipeline is made once in a thread',
    file: 'services/feature/src/plan.ts',
    text: 'export function planOf(pipeline: Pipeline, options: CompileOptions = {}): Plan {',
    instead: `const kept = new WeakMap<Pipeline, Plan>();
export function planOf(pipeline: Pipeline): Plan {
  const known = kept.get(pipeline) ?? planAnew(pipeline);
  kept.set(pipeline, known);
  return known;
}
function planAnew(pipeline: Pipeline, options: CompileOptions = {}): Plan {`,
  },
  {
    name: 'keeps-catalogues',
    shows: 'the catalogue of a pipeline is made once in a thread',
    file: 'packages/contracts/src/catalogue.ts',
    text: 'export const catalogue = (\n',
    instead: `const made = new WeakMap<object, readonly Topic[]>();
const none = {};
export const catalogue = (pipelines: readonly Pipeline[]): readonly Topic[] => {
  const of = pipelines[0] ?? none;
  const known = made.get(of) ?? catalogueAnew(pipelines);
  made.set(of, known);
  return known;
};
const catalogueAnew = (
`,
  },
  {
    name: 'keeps-hashes',
    shows: 'the hash of a feature set is made once in a thread',
    file: 'packages/define/src/hash.ts',
    text: 'export const hashFeatureSet = (pipeline: Pipeline): string =>',
    instead: `const kept = new WeakMap<Pipeline, string>();
export const hashFeatureSet = (pipeline: Pipeline): string => {
  const known = kept.get(pipeline) ?? hashAnew(pipeline);
  kept.set(pipeline, known);
  return known;
};
const hashAnew = (pipeline: Pipeline): string =>`,
  },
];
