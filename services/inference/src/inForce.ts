import { Bad } from '@millrace/avro';
import {
  type ControlEntry,
  controlKey,
  type ControlRecord,
  fieldsInVectors,
  parseControl,
  SERVING,
} from '@millrace/contracts';
import { type Pipeline, type Route, routeMistakes } from '@millrace/define';

const DEFAULT = 'default';

/** What the control topic wants for one pipeline. */
export interface Wanted {
  readonly alias: { readonly model: string; readonly version: string; readonly revision: number } | undefined;
  /** The pipeline's own, overruled by name. */
  readonly thresholds: Readonly<Record<string, number>>;
  readonly routes: readonly Route[];
  readonly routeVersion: number;
  /** Version of the feature set that is to be served; undefined where nobody has said it. */
  readonly featureSet: number | undefined;
  /** Highest revision of these entries, the alias left out. */
  readonly revision: number;
}

/** Keeps the newest good record of each key of one pipeline; a bad one changes nothing. */
export class ControlEntries {
  readonly #pipeline: Pipeline;
  readonly #aliases: readonly string[];
  readonly #fields: ReadonlySet<string>;
  readonly #entries = new Map<string, ControlEntry>();

  /** @param aliases names under which the model is looked for: the first that is there */
  constructor(pipeline: Pipeline, aliases: readonly string[]) {
    this.#pipeline = pipeline;
    this.#aliases = aliases;
    this.#fields = new Set(fieldsInVectors(pipeline));
  }

  /** @returns whether something of this pipeline changed, or why the record cannot be used */
  apply(key: string, record: ControlRecord | undefined): boolean | Bad {
    if (record === undefined) return this.#entries.delete(key);
    if (record.pipeline !== this.#pipeline.name) return false;
    const entry = parseControl(record);
    if (entry instanceof Bad) return entry;
    if (controlKey(entry) !== key)
      return new Bad('bad-value', 'the key of a control record does not name its entry');
    if (entry.kind === 'routes') {
      const mistakes = routeMistakes(this.#pipeline, entry.value.rules, this.#fields);
      if (mistakes.length > 0) return new Bad('bad-value', mistakes.join('; '), 'value');
    }
    this.#entries.set(key, entry);
    return true;
  }

  #find<K extends ControlEntry['kind']>(
    kind: K,
    name: string,
  ): Extract<ControlEntry, { kind: K }> | undefined {
    const entry = this.#entries.get(controlKey({ pipeline: this.#pipeline.name, kind, name }));
    return entry as Extract<ControlEntry, { kind: K }> | undefined;
  }

  wanted(): Wanted {
    const alias = this.#aliases
      .map(name => this.#find('model-alias', name))
      .find(entry => entry !== undefined);
    const serving = this.#find('feature-set', SERVING);
    const thresholds = this.#find('thresholds', DEFAULT);
    const routes = this.#find('routes', DEFAULT);
    return {
      alias: alias === undefined ? undefined : { ...alias.value, revision: alias.revision },
      thresholds: { ...this.#pipeline.thresholds, ...thresholds?.value },
      routes: routes?.value.rules ?? this.#pipeline.routes,
      routeVersion: routes?.value.version ?? 0,
      featureSet: serving?.value.version,
      revision: Math.max(0, ...[thresholds, routes, serving].map(entry => entry?.revision ?? 0)),
    };
  }
}
