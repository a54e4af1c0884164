import type { Pipeline } from '@millrace/define';
import { CUSTOMER_VIEWS, ofCustomers } from '../load/customers.ts';

/** Rounds of one run, disturbed ones with them. */
export const ROUNDS_MAX = 20;

/**
 * Number and mean amount of a customer's payments in 1, 7 and 30 days, nothing else. Each round has topics and state of its
 * own, so that all fold the same payments from nothing.
 */
export const customersOf = (round: number): Pipeline => {
  const views = CUSTOMER_VIEWS.filter(({ key }) => key !== undefined);
  const pipeline = ofCustomers(`customers-${round}`, views);
  return { ...pipeline, features: { ...pipeline.features, inputs: {} } };
};
