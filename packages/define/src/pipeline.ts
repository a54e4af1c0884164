import type { Expression } from './expression.ts';
import type { Rejects } from './rejects.ts';

/** A span of time as people write it: `500ms`, `30s`, `15m`, `12h`, `7d`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** A stream of events of a pipeline, and where its schema, time and keys are. */
export interface EventStream {
  /** Path under `schemas/` without its ending: `fraud/transaction`. */
  readonly schema: string;
  /** Field with the event time (timestamp-millis). */
  readonly time: string;
  /** Entity key fields, in the order in which the feature stages use them; the pipeline's entity is among them. */
  readonly keys: readonly string[];
  /** This stream labels that one: it carries its event's id, keys and time. */
  readonly of?: string;
  /** Labels: field with the time at which it became known; it counts only from then on. */
  readonly knownAt?: string;
  /**
   * A reference table: each record is a row that is in force for its one key from its event time on, until the next of
   * that key. Read with `inForce`.
   */
  readonly table?: true;
}

export type AggregateKind =
  | 'count' | 'sum' | 'mean' | 'min' | 'max' | 'stddev' | 'share' | 'distinct' | 'last' | 'timeSinceLast' | 'inForce'; // prettier-ignore

/** Over the entity's events with time in (t - delay - window, t - delay]. */
export interface Aggregate {
  readonly kind: AggregateKind;
  readonly of: string; // stream name
  readonly value?: Expression; // what is aggregated; none for count
  readonly where?: Expression;
  readonly window: Duration;
  readonly delay: Duration;
  /**
   * Decimal digits of the value. Sums are kept in integers of that scale, so that adding and taking away is exact and
   * no result depends on the order of arrival.
   */
  readonly scale: number;
  /** Value where the window holds nothing; default 0 for count, sum and share, else missing. */
  readonly empty: number | 'missing';
}

/** A feature is an aggregate over time, or an expression over the event in hand and other features. */
export type FeatureDefinition = { readonly aggregate: Aggregate } | { readonly expression: Expression };

/** What becomes of a stale vector: scored and marked, answered by the constant of the fallback chain, or a dead letter. */
export type StalePolicy = 'score' | 'fallback' | 'refuse';

/**
 * How old what a view knows may be, by event time alone: the wall clock has no say, so a replay gives the same marks.
 * It changes no value, so it is in no hash.
 */
export interface Freshness {
  /** Farthest that a stream of the view, other than the scored one, may be behind the event. */
  readonly staleAfter?: Duration;
  /** Longest that the entity may not have been heard of in the view; one that is new to it is not stale. */
  readonly entityStaleAfter?: Duration;
  readonly policy: StalePolicy;
}

export interface FeatureView {
  readonly name: string; // lower-case with hyphens
  readonly version: number;
  /** Entity key field whose state the view keeps; none for views that only look at the event in hand. */
  readonly key?: string;
  readonly owner?: string;
  readonly description?: string;
  readonly freshness?: Freshness;
  readonly features: Readonly<Record<string, FeatureDefinition>>;
}

export interface FeatureSet {
  readonly version: number;
  /** Expressions over the event that are model inputs as they are. */
  readonly inputs: Readonly<Record<string, Expression>>;
  readonly views: readonly FeatureView[];
}

/** A decision is the first whose condition holds; the last one has none. */
export interface Decision {
  readonly name: string;
  readonly when?: Expression; // over output(), threshold(), feature(), field(), kpi()
}

/** What a model can be run on. */
export const ENGINES = ['cpu', 'gpu'] as const;
export type Engine = (typeof ENGINES)[number];

/** Where an event is answered: in the stream, or by the next night. The first rule that holds decides; the last has no condition. */
export interface Route {
  readonly name: string; // lower-case with hyphens
  readonly to: 'stream' | 'night';
  readonly when?: Expression; // over field(), feature(), threshold()
  /** Somebody is to look at the answer, whatever it is: the prediction says so. */
  readonly review?: boolean;
  /** What the model is to run on for it; without it, what the model's manifest says. */
  readonly engine?: Engine;
}

/** What is written to a topic of its own beside a prediction, in its transaction: an alert, what a partner is told. */
export interface Push {
  readonly description?: string;
  /** Which answers; all without it. Over field(), feature(), output(), threshold(), kpi(), answer(). */
  readonly when?: Expression;
  /** Key of the record, over the same; without it, and where it is missing, the entity. */
  readonly key?: Expression;
  /** Values of the record, over the same. */
  readonly fields: Readonly<Record<string, Expression>>;
}

/** Groups of people whom the answers should treat alike. */
export interface Fairness {
  /** A score at or above this threshold is the answer that nobody wants; whoever is below is accepted. */
  readonly threshold: string;
  /** By feature: what its values are called. A value without a name is a group too. */
  readonly groups: Readonly<Record<string, Readonly<Record<number, string>>>>;
}

/** When a portfolio is scored by itself, and what is expected of it. */
export interface NightSchedule {
  /** Minute, hour, day of month, month, day of week: `30 1 * * *`. */
  readonly cron: string;
  /** In which the cron expression is read. */
  readonly timeZone: string;
  /** A night that has not begun so long after its time is missed, and not run. */
  readonly startWithin: Duration;
  /** One that takes longer is overlong. It is not broken off. */
  readonly takesAtMost: Duration;
  /** Attempts that may fail before a night is given up. */
  readonly attemptsMax: number;
}

/** What a score said, and where the truth about it stands. */
export interface Evaluation {
  /** Stream of labels of the scored stream. */
  readonly labels: string;
  /** Over the label: what the score is the probability of. */
  readonly truth: Expression;
  /** The model's output that is judged. */
  readonly output: string;
  /** None where no people are judged, or nothing says who they are. */
  readonly fairness?: Fairness;
}

export interface Pipeline {
  readonly name: string;
  readonly description?: string;
  /** Field that keys features and predictions. */
  readonly entity: string;
  readonly timeZone: string;
  readonly partitions: number;
  /** Stream that is scored; the others only feed state. */
  readonly scores: string;
  readonly events: Readonly<Record<string, EventStream>>;
  readonly features: FeatureSet;
  /**
   * Values of reference tables that decisions and business figures may use as `feature('name')`, each made with `inForce`.
   * They stand in each vector beside the event, the model does not get them, and they are in no hash of a set.
   */
  readonly reference: Readonly<Record<string, FeatureDefinition>>;
  /** Other versions of the set that run beside it while one takes over from another; none as a rule. */
  readonly beside: readonly FeatureSet[];
  readonly model: {
    readonly name: string;
    /** Names of the model's outputs as they stand in predictions, e.g. `score`. */
    readonly outputs: readonly string[];
    /** Asked in order when the model cannot answer: a smaller model by name, or constants. */
    readonly fallback: readonly (string | { readonly constant: Readonly<Record<string, number>> })[];
  };
  /** Defaults; the control topic may hold newer values. */
  readonly thresholds: Readonly<Record<string, number>>;
  readonly decisions: readonly Decision[];
  /** Rules with which the pipeline begins; those in force are on the control topic. None: everything in the stream. */
  readonly routes: readonly Route[];
  /** Business figures computed for each prediction, numbers or text, over output(), threshold(), feature(), field(). */
  readonly kpis: Readonly<Record<string, Expression>>;
  /** By name, which is the topic's: `alerts` goes to `<pipeline>.alerts.v1`. */
  readonly pushes: Readonly<Record<string, Push>>;
  /** How scores are judged once labels are there; none where nothing labels what is scored. */
  readonly evaluation?: Evaluation;
  readonly delivery: {
    /**
     * How predictions reach their topic. `at_least_once` answers sooner, and a fault may write a prediction again, under
     * the same id. The feature service has no such choice: a redelivered event would meet state that has counted it.
     */
    readonly inference: 'exactly_once' | 'at_least_once';
    /** Grid of live epochs, milliseconds of append time. */
    readonly epochMs: number;
    /**
     * What becomes of an event that is older than the newest its first key has seen when it is folded live.
     * - `fold`, where nothing is said: it is scored as of its own time, marked, and counts from then on.
     * - `dead-letter`: it goes to the dead letters of its topic, reason `late`, and has no effect until it is sent again.
     */
    readonly late: 'fold' | 'dead-letter';
  };
  /** What becomes of records that cannot be used; a dead letter where nothing is said. */
  readonly rejects: Rejects;
  /** When its nights run by themselves (`millrace batch schedule`); none where somebody asks for each. */
  readonly night?: NightSchedule;
}
