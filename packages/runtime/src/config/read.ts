import { REDACTED, redactText } from '@millrace/telemetry';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { type ConfigOf, type Field, Mistake, type ReadText, type Spec } from './field.ts';

/** Where settings come from, in order: a flag wins over the environment, that over the file, that over the default. */
export interface ConfigSources {
  /** Command line after the program: `--batch-rows 5`, `--batch-rows=5`, `--insecure` alone for true. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** YAML text: field names as keys. */
  readonly file?: string;
  /** Reads the files that settings name, such as a `*_FILE` variable. Without it there are none. */
  readonly readText?: ReadText;
}

/** Every mistake of a configuration at once; each names the field, what it wants, and where to set it. */
export class ConfigError extends Error {
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[]) {
    super(`the configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}`);
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}

const noFiles: ReadText = () => {
  throw new Error('no file can be read here');
};

type Found = { readonly value: unknown; readonly from: string };

/** `batchRowsMax` -> `--batch-rows-max`. */
export const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;

const places = (name: string, field: Field<unknown>): string =>
  [
    flagOf(name),
    ...(field.env === undefined ? [] : field.secret ? [field.env, `${field.env}_FILE`] : [field.env]),
    `${name} in the file`,
  ].join(', ');

const readFlags = (spec: Spec, argv: readonly string[], mistakes: string[]): Map<string, string> => {
  const names = new Map(Object.keys(spec).map(name => [flagOf(name), name]));
  const found = new Map<string, string>();
  for (let at = 0; at < argv.length; at++) {
    const [flag, ...rest] = argv[at]!.split('=');
    const name = names.get(flag!);
    if (name === undefined) {
      mistakes.push(`${flag} is no flag of this program; it takes ${[...names.keys()].join(' ')}`);
      // Its value is not a second mistake.
      if (rest.length === 0 && argv[at + 1]?.startsWith('--') === false) at++;
    } else if (rest.length > 0) found.set(name, rest.join('='));
    else if (argv[at + 1]?.startsWith('--') === false) found.set(name, argv[++at]!);
    else found.set(name, 'true');
  }
  return found;
};

const readFile = (
  spec: Spec,
  text: string | undefined,
  mistakes: string[],
): Readonly<Record<string, unknown>> => {
  if (text === undefined) return {};
  let parsed: unknown;
  try {
    parsed = parseYaml(text, { prettyErrors: false }) ?? {};
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    mistakes.push(`the configuration file is not YAML (${error.code} at character ${error.pos[0]})`);
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    mistakes.push('the configuration file must hold names with values');
    return {};
  }
  for (const key of Object.keys(parsed))
    if (!Object.hasOwn(spec, key))
      mistakes.push(`${key} in the file is no setting; there are ${Object.keys(spec).join(', ')}`);
  return parsed as Record<string, unknown>;
};

const fromEnv = (field: Field<unknown>, sources: ConfigSources, mistakes: string[]): Found | undefined => {
  const { env = {}, readText } = sources;
  if (field.env === undefined) return undefined;
  const direct = env[field.env];
  // An empty variable is as good as none: that is how compose files and shells leave one out.
  if (direct !== undefined && direct !== '') return { value: direct, from: field.env };
  const path = env[`${field.env}_FILE`];
  if (!path || readText === undefined) return undefined;
  try {
    return { value: readText(path).trimEnd(), from: `${field.env}_FILE` };
  } catch (error) {
    mistakes.push(
      `${field.env}_FILE names a file that cannot be read (${(error as { code?: string }).code ?? 'error'})`,
    );
    return undefined;
  }
};

/** @throws ConfigError with every mistake that was found */
export const readConfig = <S extends Spec>(spec: S, sources: ConfigSources): ConfigOf<S> => {
  const mistakes: string[] = [];
  const flags = readFlags(spec, sources.flags ?? [], mistakes);
  const file = readFile(spec, sources.file, mistakes);
  const config: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(spec)) {
    const mistakesBefore = mistakes.length;
    const found: Found | undefined = flags.has(name)
      ? { value: flags.get(name), from: flagOf(name) }
      : (fromEnv(field, sources, mistakes) ??
        (Object.hasOwn(file, name) ? { value: file[name], from: `${name} in the file` } : undefined));
    if (found === undefined) {
      if (field.fallback !== undefined) config[name] = field.fallback.value;
      else if (mistakes.length === mistakesBefore)
        mistakes.push(`${name} is not set (${field.help}) Set one of: ${places(name, field)}`);
      continue;
    }
    const value = field.parse(found.value, sources.readText ?? noFiles);
    if (value instanceof Mistake) mistakes.push(`${found.from} must be ${value.wanted} (${field.help})`);
    else config[name] = value;
  }
  for (const { together } of Object.values(spec)) mistakes.push(...(together?.(config) ?? []));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config as ConfigOf<S>;
};

/** The configuration as it may be shown: secrets, and users and passwords within addresses, are hidden. */
export const configPrint = <S extends Spec>(spec: S, config: ConfigOf<S>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(spec).map(([name, field]) => {
      const value: unknown = config[name as keyof S];
      if (field.secret && value !== undefined) return [name, REDACTED];
      if (typeof value === 'string') return [name, redactText(value)];
      return [name, value];
    }),
  );

/** One line per setting: flag, variable, default and meaning. */
export const configHelp = (spec: Spec): string =>
  Object.entries(spec)
    .map(([name, field]) => {
      const fallback =
        field.fallback === undefined
          ? 'must be set'
          : `default ${JSON.stringify(field.fallback.value) ?? 'none'}`;
      return `  ${[flagOf(name), field.env].filter(Boolean).join(', ')} (${field.secret && field.fallback ? 'secret' : fallback})\n      ${field.help}`;
    })
    .join('\n');
