import { Bad } from '@millrace/avro';
import { isRoutes, type Route } from '@millrace/define';
import type { Control } from './generated/millrace-control.ts';

/** A record of `millrace.control.v1` as it is on the topic; the value is JSON text whose shape depends on the kind. */
export type ControlRecord = Control;

/** What may be changed while everything runs, by kind. */
export interface ControlValues {
  /** Name of the entry: the alias (`champion`). */
  readonly 'model-alias': { readonly model: string; readonly version: string };
  /** Name of the entry: `default`. */
  readonly thresholds: Readonly<Record<string, number>>;
  /** Name of the entry: `default`. Without rules everything is answered in the stream. */
  readonly routes: { readonly version: number; readonly rules: readonly Route[] };
  /** Name of the entry: `serving`. Whose vectors are scored, of a pipeline with several versions of its set. */
  readonly 'feature-set': { readonly version: number };
}
export type ControlKind = keyof ControlValues;

/** The alias whose model answers. Rollouts add arms beside it. */
export const CHAMPION = 'champion';
/** The alias whose model answers by this version of the feature set, where the pipeline has several. */
export const championOf = (version: number): string => `${CHAMPION}@${version}`;
/** Name of the entry that says which version is served. */
export const SERVING = 'serving';

export type ControlEntry = {
  [K in ControlKind]: Omit<ControlRecord, 'kind' | 'value'> & {
    readonly kind: K;
    readonly value: ControlValues[K];
  };
}[ControlKind];

/** Key of an entry on the topic: the newest record of a key is in force. */
export const controlKey = (entry: Pick<ControlRecord, 'pipeline' | 'kind' | 'name'>): string =>
  `${entry.pipeline}/${entry.kind}/${entry.name}`;

type Check<T> = (value: Readonly<Record<string, unknown>>) => T | string;

const CHECKS: { readonly [K in ControlKind]: Check<ControlValues[K]> } = {
  'model-alias': ({ model, version }) =>
    typeof model === 'string' && model !== '' && typeof version === 'string' && version !== ''
      ? { model, version }
      : 'needs model and version, both text',
  thresholds: value => {
    const entries = Object.entries(value);
    const wrong = entries.find(([, x]) => typeof x !== 'number');
    return wrong === undefined
      ? (Object.fromEntries(entries) as Record<string, number>)
      : `threshold '${wrong[0]}' is not a number`;
  },
  routes: ({ version, rules }) =>
    Number.isSafeInteger(version) && isRoutes(rules)
      ? { version: version as number, rules }
      : 'needs a whole version and a list of rules {name, to: stream or night, when}',
  'feature-set': ({ version }) =>
    Number.isSafeInteger(version) ? { version: version as number } : 'needs a whole version',
};

const objectOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && !Object.hasOwn(value, '__proto__') ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // not JSON: the caller says so with the entry's kind
  }
};

/** The typed entry of a control record; `Bad` names what is wrong with it, and it changes nothing then. */
export const parseControl = (record: ControlRecord): ControlEntry | Bad => {
  if (!Object.hasOwn(CHECKS, record.kind))
    return new Bad('bad-value', `control records know no kind '${record.kind}'`, 'kind');
  const kind = record.kind as ControlKind;
  const json = objectOf(record.value);
  if (json === undefined)
    return new Bad('bad-value', `the value of a ${kind} entry is no JSON object`, 'value');
  const value = CHECKS[kind](json);
  if (typeof value === 'string') return new Bad('bad-value', `a ${kind} entry ${value}`, 'value');
  return { ...record, kind, value } as ControlEntry;
};

/** The record of an entry, ready to be encoded. */
export const controlRecord = (entry: ControlEntry): ControlRecord => ({
  ...entry,
  value: JSON.stringify(entry.value),
});
