import type { Report } from './names.ts';
import type { Pipeline } from './pipeline.ts';

const DELIVERIES: ReadonlySet<string> = new Set(['exactly_once', 'at_least_once']);
const LATES: ReadonlySet<string> = new Set(['fold', 'dead-letter']);

/** Keys by which something is kept: those of views with aggregates, and of reference tables. */
const keptKeys = ({ features, reference, events }: Pipeline): ReadonlySet<string | undefined> =>
  new Set([
    ...features.views
      .filter(view => Object.values(view.features).some(definition => 'aggregate' in definition))
      .map(({ key }) => key),
    ...Object.values(reference).map(d => ('aggregate' in d ? events[d.aggregate.of]?.keys[0] : undefined)),
  ]);

const checkLate = (pipeline: Pipeline, report: Report): void => {
  const { delivery, events, scores } = pipeline;
  if (!LATES.has(delivery.late))
    return report('delivery.late', `'${delivery.late}' is neither fold nor dead-letter`);
  const key = events[scores]?.keys[0];
  const kept = keptKeys(pipeline);
  // Where nothing is kept at all, events are, by their first key.
  if (delivery.late === 'dead-letter' && kept.size > 0 && !kept.has(key))
    report('delivery.late', `what is late is known by '${key}', and no view keeps anything by it; use fold`);
};

export const checkDelivery = (pipeline: Pipeline, report: Report): void => {
  const { inference, epochMs, late: _, ...others } = pipeline.delivery;
  if (!DELIVERIES.has(inference))
    report('delivery.inference', `'${inference}' is neither exactly_once nor at_least_once`);
  if (!Number.isInteger(epochMs) || epochMs < 1)
    report('delivery.epochMs', 'it is not a whole number of milliseconds above zero');
  for (const name of Object.keys(others))
    report(
      `delivery.${name}`,
      'nothing can be chosen there: inference alone may deliver other than exactly_once',
    );
  checkLate(pipeline, report);
};
