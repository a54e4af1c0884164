import type { Pipeline } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import { CUSTOMER_VIEWS, ofCustomers } from '../load/customers.ts';

/** Widths of the epochs that are measured, milliseconds. */
export const EPOCHS_MS = [20, 50, 100, 200] as const;

/** The shipped pipeline over topics of its own for each width, and one without epochs: the views of customers alone. */
export const CONTESTANTS: readonly Pipeline[] = [
  ofCustomers('epochs-none', CUSTOMER_VIEWS),
  ...EPOCHS_MS.map(epochMs => ({
    ...fraud,
    name: `epochs-${epochMs}`,
    delivery: { ...fraud.delivery, epochMs },
  })),
];
