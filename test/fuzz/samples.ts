/** Good events, as far as their fields go. */
export const payments = (): readonly (object & { readonly eventId: string })[] =>
  Array.from({ length: 4 }, (_, i) => ({
    eventId: `e${i}`,
    customerId: `c${i}`,
    terminalId: `t${i}`,
    txAt: 1_700_000_000_000 + i,
    amount: 12.5 * i,
    sequence: i,
  }));
