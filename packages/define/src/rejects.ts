import type { Report } from './names.ts';
import type { Pipeline } from './pipeline.ts';

/** Why a service rejects a record. */
export const REJECT_REASONS = [
  'bad-frame', 'unknown-schema', 'bad-value', 'too-large', 'schema-mismatch', 'wrong-key', 'feature-mismatch', 'stale-features',
  'scoring-failed', 'handler-failed', 'late',
] as const; // prettier-ignore
export type RejectReason = (typeof REJECT_REASONS)[number];

/** Reasons that lie in the world as much as in the record, so that waiting may mend them. */
export const HOLDABLE_REASONS = [
  'unknown-schema',
  'schema-mismatch',
  'feature-mismatch',
  'scoring-failed',
] as const satisfies readonly RejectReason[];
type Holdable = (typeof HOLDABLE_REASONS)[number];

/**
 * What becomes of a rejected record.
 * - `dead-letter`, where nothing is said: it goes to the dead letters of its topic, and the rest flows on.
 * - `hold`: its partition stands still until the record can be used.
 * - `stop`: the process ends before it commits.
 */
export type RejectPolicy = 'dead-letter' | 'hold' | 'stop';

type Passing = Exclude<RejectPolicy, 'hold'>;
type PassingPolicies = Readonly<Partial<Record<RejectReason, Passing>>>;

/**
 * Policies by service and reason. Only inference may hold: upstream a partition that stands still stops every lane, and
 * the sink's own offset has passed the record.
 */
export interface Rejects {
  readonly feature?: PassingPolicies;
  readonly inference?: { readonly [R in RejectReason]?: R extends Holdable ? RejectPolicy : Passing };
  readonly sink?: PassingPolicies;
}

const SERVICES: ReadonlySet<string> = new Set(['feature', 'inference', 'sink']);
const REASONS: ReadonlySet<string> = new Set(REJECT_REASONS);
const HOLDABLE: ReadonlySet<string> = new Set(HOLDABLE_REASONS);

const mistakeIn = (service: string, reason: string, policy: unknown): string | undefined => {
  if (!REASONS.has(reason)) return `there is no such reason; there are ${REJECT_REASONS.join(', ')}`;
  if (policy === 'dead-letter' || policy === 'stop') return undefined;
  if (policy !== 'hold') return 'the policy is none of dead-letter, hold, stop';
  if (service !== 'inference') return 'only inference may hold; use dead-letter or stop';
  return HOLDABLE.has(reason)
    ? undefined
    : 'waiting mends nothing here, the bytes stay as they are; use dead-letter or stop';
};

export const checkRejects = ({ rejects }: Pipeline, report: Report): void => {
  for (const [service, policies] of Object.entries(rejects)) {
    if (!SERVICES.has(service))
      report('rejects', `'${service}' rejects nothing; there are ${[...SERVICES].join(', ')}`);
    for (const [reason, policy] of Object.entries((policies ?? {}) as Record<string, unknown>)) {
      const mistake = mistakeIn(service, reason, policy);
      if (mistake !== undefined) report(`rejects.${service}.${reason}`, mistake);
    }
  }
};
