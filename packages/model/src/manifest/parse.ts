/**
 * Reads `manifest.json`, naming every mistake at once. A check reports to `problems` and gives a stand-in back, so that
 * the rest is still looked at; nothing of it is used unless there were no problems.
 */
import { inputWidth, type InputTensor, type Manifest, type ModelOutput, TENSOR_TYPES } from './manifest.ts';

type Json = Readonly<Record<string, unknown>>;

class Problems {
  readonly list: string[] = [];

  say(path: string, what: string): void {
    this.list.push(`${path}: ${what}`);
  }
  object(value: unknown, path: string): Json {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
    this.say(path, 'must be an object');
    return {};
  }
  array(value: unknown, path: string): readonly unknown[] {
    if (Array.isArray(value) && value.length > 0) return value as unknown[];
    this.say(path, 'must be a list with at least one item');
    return [];
  }
  text(value: unknown, path: string, pattern = /./s, say = 'must be a text that is not empty'): string {
    if (typeof value === 'string' && pattern.test(value)) return value;
    this.say(path, say);
    return '';
  }
  integer(value: unknown, path: string, least: number): number {
    if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
    this.say(path, `must be a whole number, at least ${least}`);
    return least;
  }
  number(value: unknown, path: string): number {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.say(path, 'must be a number');
    return 0;
  }
  distinct(names: readonly string[], path: string): void {
    const twice = names.filter((name, i) => names.indexOf(name) !== i);
    if (twice.length > 0) this.say(path, `${twice.join(', ')} occurs twice`);
  }
}

const parseInput = (raw: unknown, path: string, problems: Problems): InputTensor => {
  const json = problems.object(raw, path);
  const shape = problems.array(json['shape'], `${path}.shape`).map((d, i) => {
    return d === 'N' ? ('N' as const) : problems.integer(d, `${path}.shape[${i}]`, 1);
  });
  if (shape.filter(d => d === 'N').length !== 1)
    problems.say(`${path}.shape`, 'must hold "N", the batch, exactly once');
  const type = TENSOR_TYPES.find(t => t === json['type']);
  if (type === undefined) problems.say(`${path}.type`, `must be one of ${TENSOR_TYPES.join(', ')}`);
  return { name: problems.text(json['name'], `${path}.name`), type: type ?? 'float32', shape };
};

const parseOutput = (raw: unknown, path: string, problems: Problems): ModelOutput => {
  const json = problems.object(raw, path);
  return {
    name: problems.text(
      json['name'], `${path}.name`, /^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a name of letters, digits and _',
    ), // prettier-ignore
    tensor: problems.text(json['tensor'], `${path}.tensor`),
    column: problems.integer(json['column'] ?? 0, `${path}.column`, 0),
    batchAxis: problems.integer(json['batchAxis'] ?? 0, `${path}.batchAxis`, 0),
  };
};

const parseTable = (
  raw: unknown,
  path: string,
  width: number,
  value: (raw: unknown, path: string) => number,
  problems: Problems,
): readonly (readonly number[])[] =>
  problems.array(raw, path).map((row, i) => {
    const values = problems.array(row, `${path}[${i}]`);
    if (values.length !== width)
      problems.say(`${path}[${i}]`, `holds ${values.length} values where ${width} belong`);
    return values.map((v, j) => value(v, `${path}[${i}][${j}]`));
  });

const parseGolden = (
  raw: unknown,
  widths: { readonly input: number; readonly output: number },
  problems: Problems,
): Manifest['golden'] => {
  const json = problems.object(raw, 'golden');
  const known = (v: unknown, at: string): number => problems.number(v, at);
  const orMissing = (v: unknown, at: string): number => (v === null ? Number.NaN : known(v, at));
  const rows = parseTable(json['rows'], 'golden.rows', widths.input, orMissing, problems);
  const outputs = parseTable(json['outputs'], 'golden.outputs', widths.output, known, problems);
  if (rows.length !== outputs.length)
    problems.say('golden', `${rows.length} rows, but ${outputs.length} answers`);
  const tolerance = problems.number(json['tolerance'], 'golden.tolerance');
  if (tolerance < 0) problems.say('golden.tolerance', 'must not be negative');
  return { rows, outputs, tolerance };
};

const parseFeatureSet = (raw: unknown, problems: Problems): Manifest['featureSet'] => {
  const json = problems.object(raw, 'featureSet');
  return {
    pipeline: problems.text(json['pipeline'], 'featureSet.pipeline'),
    version: problems.integer(json['version'], 'featureSet.version', 1),
    hash: problems.text(json['hash'], 'featureSet.hash', /^[0-9a-f]{64}$/, 'must be a SHA-256 in hex'),
  };
};

const parseTraining = (raw: unknown, problems: Problems): Manifest['training'] => {
  const json = problems.object(raw, 'training');
  return {
    data: problems.text(json['data'], 'training.data'),
    seed: problems.number(json['seed'], 'training.seed'),
    commit: problems.text(json['commit'], 'training.commit'),
  };
};

const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** @returns the manifest, or every mistake in it, each beginning with the path of its field */
export const parseManifest = (raw: unknown): Manifest | readonly string[] => {
  const problems = new Problems();
  const json = problems.object(raw, 'manifest');
  const texts = (name: string): readonly string[] =>
    problems.array(json[name], name).map((v, i) => problems.text(v, `${name}[${i}]`));
  const inputs = problems
    .array(json['inputs'], 'inputs')
    .map((v, i) => parseInput(v, `inputs[${i}]`, problems));
  const outputs = problems
    .array(json['outputs'], 'outputs')
    .map((v, i) => parseOutput(v, `outputs[${i}]`, problems));
  const features = texts('features');
  const width = inputWidth({ inputs });
  if (features.length !== width)
    problems.say('features', `names ${features.length} values, but the inputs take ${width}`);
  problems.distinct(features, 'features');
  for (const [path, named] of [['inputs', inputs], ['outputs', outputs]] as const)
    problems.distinct(named.map(one => one.name), path); // prettier-ignore
  const createdAt = problems.text(json['createdAt'], 'createdAt');
  if (Number.isNaN(Date.parse(createdAt))) problems.say('createdAt', 'must be a time in ISO 8601');
  const fixedBatch =
    json['fixedBatch'] === undefined ? undefined : problems.integer(json['fixedBatch'], 'fixedBatch', 1);
  const manifest: Manifest = {
    name: problems.text(
      json['name'], 'name', /^[a-z][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens',
    ), // prettier-ignore
    version: problems.text(json['version'], 'version', PLAIN, 'must be letters, digits, dots, _ and -'),
    file: problems.text(json['file'], 'file', PLAIN, 'must be the name of a file in the same folder'),
    sha256: problems.text(json['sha256'], 'sha256', /^[0-9a-f]{64}$/, 'must be a SHA-256 in hex'),
    inputs,
    features,
    outputs,
    featureSet: parseFeatureSet(json['featureSet'], problems),
    providers: json['providers'] === undefined ? ['cpu'] : texts('providers'),
    ...(fixedBatch === undefined ? {} : { fixedBatch }),
    golden: parseGolden(json['golden'], { input: width, output: outputs.length }, problems),
    training: parseTraining(json['training'], problems),
    license: problems.text(json['license'], 'license'),
    createdAt,
  };
  return problems.list.length === 0 ? manifest : problems.list;
};
