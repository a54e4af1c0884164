import type { Pipeline } from '@millrace/define';
import { fraud } from '@millrace/pipelines';

/** Widths of the epochs that are measured, milliseconds. */
export const EPOCHS_MS = [20, 50, 100, 200] as const;

/** The same payments with the views of customers alone: one key, so no epochs and one stage. */
const withoutEpochs: Pipeline = {
  ...fraud,
  name: 'epochs-none',
  events: { transactions: { ...fraud.events['transactions']!, keys: ['customerId'] } },
  features: { ...fraud.features, views: fraud.features.views.filter(({ key }) => key !== 'terminalId') },
};

/** The shipped pipeline over topics of its own for each width, and one without epochs. */
export const CONTESTANTS: readonly Pipeline[] = [
  withoutEpochs,
  ...EPOCHS_MS.map(epochMs => ({
    ...fraud,
    name: `epochs-${epochMs}`,
    delivery: { ...fraud.delivery, epochMs },
  })),
];
