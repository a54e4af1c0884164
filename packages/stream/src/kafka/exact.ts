import { BrokerError } from '../broker/port.ts';

/** An offset as a number. @throws BrokerError beyond 2^53: a rounded offset would read or commit the wrong record. */
export const exactOffset = (text: string): number => {
  const offset = Number(text);
  if (!Number.isSafeInteger(offset))
    throw new BrokerError(`offset ${text} is beyond 2^53`, { retriable: false });
  return offset;
};
