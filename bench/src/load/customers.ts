import type { FeatureView, Pipeline } from '@millrace/define';
import { fraud } from '@millrace/pipelines';

/** The views of customers, and those that look at the payment alone. */
export const CUSTOMER_VIEWS: readonly FeatureView[] = fraud.features.views.filter(
  ({ key }) => key !== 'terminalId',
);

/** Payments keyed by customer alone, under other views: one key, so one stage and no epochs. */
export const ofCustomers = (name: string, views: readonly FeatureView[]): Pipeline => ({
  ...fraud,
  name,
  events: { transactions: { ...fraud.events['transactions']!, keys: ['customerId'] } },
  features: { ...fraud.features, views },
});
