/** Where vectors are answered, by the rules in force. */
import type { RecordCodec } from '@millrace/avro';
import type { FeaturesValue } from '@millrace/contracts';
import { compileCondition, type Engine, type Pipeline, type Route } from '@millrace/define';
import type { InForce } from './board.ts';
import { environmentOf, type InHand, thresholdsOf } from './inHand.ts';
import type { Vectors } from './vectors.ts';

/** The rule that decided, and the version of the rules that it is of. */
export interface Routed {
  readonly route: string;
  readonly routeVersion: number;
  readonly to: Route['to'];
  /** Somebody is to look at the answer. */
  readonly review: boolean;
  /** What the rule wants the model to run on; without it, what the model's manifest says. */
  readonly engine?: Engine;
}

interface Rule {
  readonly chosen: Routed;
  readonly holds: (of: InHand) => boolean;
}

/** Where there are no rules. */
export const DEFAULT_ROUTE = 'default';

export class Router {
  readonly #pipeline: Pipeline;
  readonly #env: ReturnType<typeof environmentOf>;
  #inForce: InForce | undefined;
  #thresholds: readonly number[] = [];
  #rules: readonly Rule[] = [];
  #rest: Routed = { route: DEFAULT_ROUTE, routeVersion: 0, to: 'stream', review: false };

  constructor(pipeline: Pipeline, features: RecordCodec<FeaturesValue>) {
    this.#pipeline = pipeline;
    this.#env = environmentOf(pipeline, features.rows);
  }

  /** The first rule that holds. @throws RangeError where a rule reads what is not there: it is checked when it is taken */
  choose(vectors: Vectors, row: number, inForce: InForce): Routed {
    if (inForce !== this.#inForce) this.#compile(inForce);
    if (this.#rules.length === 0) return this.#rest;
    const hand: InHand = {
      vectors,
      row,
      thresholds: this.#thresholds,
      outputs: [],
      kpis: [],
      answer: undefined,
    };
    for (const { chosen, holds } of this.#rules) if (holds(hand)) return chosen;
    return this.#rest;
  }

  #compile(inForce: InForce): void {
    const { routes, routeVersion, thresholds } = inForce;
    this.#thresholds = thresholdsOf(this.#pipeline, thresholds);
    this.#rules = routes.map(({ name, to, when, review = false, engine }): Rule => ({
      chosen: { route: name, routeVersion, to, review, ...(engine && { engine }) },
      holds: when === undefined ? () => true : compileCondition(when, this.#env),
    }));
    this.#rest = { route: DEFAULT_ROUTE, routeVersion, to: 'stream', review: false };
    this.#inForce = inForce;
  }
}
