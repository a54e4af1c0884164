import { LOG_LEVELS, type LogLevel } from '@millrace/telemetry';

/** What a field says of a value that it cannot take: one half sentence with the kind wanted. Never the value. */
export class Mistake {
  readonly wanted: string;
  constructor(wanted: string) {
    this.wanted = wanted;
  }
}

/** Text of a file that a setting names. It shows as its path: the text may be a private key. */
export class TextFile {
  readonly path: string;
  readonly #text: string;
  constructor(path: string, text: string) {
    this.path = path;
    this.#text = text;
  }
  get text(): string {
    return this.#text;
  }
  toJSON(): string {
    return this.path;
  }
}

/** @throws where the file cannot be read */
export type ReadText = (path: string) => string;

/** One setting: how it is named everywhere, what it may be, what it is without being set. */
export interface Field<T> {
  /** Environment variable. Secrets may also be given as a file named by `<env>_FILE`. */
  readonly env?: string;
  readonly help: string;
  /** Taken where nothing is set; a field without a default must be set. */
  readonly fallback?: { readonly value: T };
  /** Never shown. */
  readonly secret: boolean;
  /** Takes the text of a flag or variable, or the value of a YAML file. */
  parse(value: unknown, readText: ReadText): T | Mistake;
  /** Looked at once all are read: whole sentences on what does not go together. */
  readonly together?: (all: Readonly<Record<string, unknown>>) => readonly string[];
}

export type Spec = Readonly<Record<string, Field<unknown>>>;
export type ConfigOf<S extends Spec> = {
  readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never;
};

interface Common<T> {
  readonly env?: string;
  readonly help: string;
  readonly fallback?: T;
}

const fieldOf = <T>(
  { env, help, fallback }: Common<T>,
  parse: Field<T>['parse'],
  secret = false,
): Field<T> => ({
  help,
  parse,
  secret,
  ...(env === undefined ? {} : { env }),
  ...(fallback === undefined ? {} : { fallback: { value: fallback } }),
});

const asText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;

const text = (value: unknown): string | Mistake =>
  asText(value)?.trim() || new Mistake('a text that is not empty');

export const textField = (common: Common<string>): Field<string> => fieldOf(common, text);

export const secretField = (common: Common<string>): Field<string> => fieldOf(common, text, true);

/** A field that may be left out. */
export const optional = <T>(field: Field<T>): Field<T | undefined> => ({
  ...field,
  fallback: { value: undefined },
});

export const numberField = (
  common: Common<number> & { readonly min?: number; readonly max?: number; readonly whole?: boolean },
): Field<number> => {
  const { min = -Infinity, max = Infinity, whole = true } = common;
  const kind = `${whole ? 'a whole number' : 'a number'}${
    Number.isFinite(min) && Number.isFinite(max)
      ? ` from ${min} to ${max}`
      : Number.isFinite(min)
        ? ` of at least ${min}`
        : ''
  }`;
  return fieldOf(common, value => {
    const written = asText(value)?.trim() ?? '';
    const found = written === '' ? Number.NaN : Number(written);
    const fits =
      (whole ? Number.isSafeInteger(found) : Number.isFinite(found)) && found >= min && found <= max;
    return fits ? found : new Mistake(kind);
  });
};

export const switchField = (common: Common<boolean>): Field<boolean> =>
  fieldOf(common, value => {
    if (typeof value === 'boolean') return value;
    const written = asText(value)?.trim().toLowerCase();
    if (written === 'true' || written === '1' || written === 'yes') return true;
    if (written === 'false' || written === '0' || written === 'no') return false;
    return new Mistake('true or false');
  });

export const choiceField = <const C extends string>(
  common: Common<C> & { readonly of: readonly C[] },
): Field<C> =>
  fieldOf(
    common,
    value => common.of.find(one => one === value) ?? new Mistake(`one of ${common.of.join(', ')}`),
  );

/** Comma-separated in flags and variables, a list in files. */
export const listField = (common: Common<readonly string[]>): Field<readonly string[]> =>
  fieldOf(common, value => {
    const items = Array.isArray(value) ? value.map(asText) : asText(value)?.split(',');
    const texts = items?.map(item => item?.trim() ?? '').filter(item => item !== '') ?? [];
    return texts.length > 0 ? texts : new Mistake('a list of texts, separated by commas');
  });

/** An address with its scheme. User and password within it are hidden when it is shown. */
export const urlField = (common: Common<string> & { readonly schemes: readonly string[] }): Field<string> =>
  fieldOf(common, value => {
    const written = asText(value)?.trim() ?? '';
    const fits = URL.canParse(written) && common.schemes.includes(new URL(written).protocol.replace(':', ''));
    return fits
      ? written
      : new Mistake(`an address that begins with ${common.schemes.map(s => `${s}://`).join(' or ')}`);
  });

/** A file that is read with the settings, so that one which cannot be read is a mistake of the settings. */
export const fileField = (common: Common<TextFile> & { readonly holds: RegExp }): Field<TextFile> =>
  fieldOf(common, (value, readText) => {
    const path = asText(value)?.trim() ?? '';
    try {
      const text = readText(path);
      return common.holds.test(text)
        ? new TextFile(path, text)
        : new Mistake('a file in PEM format that holds what is asked for');
    } catch (error) {
      return new Mistake(`a file that can be read (${(error as { code?: string }).code ?? 'error'})`);
    }
  });

/** Anything a YAML file (or YAML text in a variable) can hold, checked by `parse`. */
export const structuredField = <T>(
  common: Common<T> & { readonly parse: (value: unknown) => T | Mistake; readonly secret?: boolean },
): Field<T> => fieldOf(common, common.parse, common.secret ?? false);

/** Settings that mean the same to every service; each takes those it uses into its own spec. */
export const usual = {
  logLevel: choiceField<LogLevel>({
    env: 'LOG_LEVEL',
    help: 'Least level that is logged.',
    of: LOG_LEVELS,
    fallback: 'info',
  }),
  host: textField({ env: 'HOST', help: 'Address to listen on.', fallback: '0.0.0.0' }),
  port: numberField({
    env: 'PORT',
    help: 'Port to listen on; 0 takes a free one.',
    min: 0,
    max: 65_535,
    fallback: 8080,
  }),
  stallMsMax: numberField({
    env: 'MILLRACE_STALL_MS_MAX',
    help: 'Longest that a task with records to work on may commit nothing before the process ends, milliseconds.',
    min: 1_000,
    max: 3_600_000,
    fallback: 60_000,
  }),
} as const;
