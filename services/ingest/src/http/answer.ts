import type { Bad } from '@millrace/avro';

/** What became of one event of a request. */
export type Outcome =
  | {
      readonly kind: 'accepted';
      readonly eventId: string;
      readonly revision: number;
      readonly duplicate: boolean;
    }
  | { readonly kind: 'refused'; readonly bad: Bad };

export interface Answer {
  readonly status: number;
  readonly body: object;
}

const TITLE = 'The event does not fit its schema';

const accepted = ({ eventId, revision, duplicate }: Extract<Outcome, { kind: 'accepted' }>): object =>
  duplicate ? { eventId, revision, duplicate } : { eventId, revision };

const refused = ({ reason, field, message }: Bad): object => ({
  ...(field === undefined ? {} : { field }),
  reason,
  detail: message,
});

/** 202, or 422 as a problem. */
export const answerOne = (outcome: Outcome): Answer =>
  outcome.kind === 'accepted'
    ? { status: 202, body: accepted(outcome) }
    : { status: 422, body: { title: TITLE, status: 422, ...refused(outcome.bad) } };

/** Each item in the order sent: 202 when all were accepted, 422 when none was, 207 in between. */
export const answerMany = (outcomes: readonly Outcome[]): Answer => {
  const count = (is: (one: Outcome) => boolean): number => outcomes.filter(is).length;
  const taken = count(one => one.kind === 'accepted');
  const status = taken === outcomes.length ? 202 : taken === 0 ? 422 : 207;
  const items = outcomes.map(one =>
    one.kind === 'accepted' ? { status: 202, ...accepted(one) } : { status: 422, ...refused(one.bad) },
  );
  return {
    status,
    body: {
      accepted: taken,
      duplicates: count(one => one.kind === 'accepted' && one.duplicate),
      refused: outcomes.length - taken,
      items,
    },
  };
};
