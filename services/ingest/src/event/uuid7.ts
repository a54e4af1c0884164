import { type Random, randomHex } from '@millrace/telemetry';

const TIME_DIGITS = 12;
const VARIANTS = ['8', '9', 'a', 'b'] as const;

/** UUID version 7 (RFC 9562): 48 bits of milliseconds since the epoch, then 74 random bits; sorts by time. */
export const uuid7 = (nowMs: number, random: Random): string => {
  const time = Math.floor(nowMs).toString(16).padStart(TIME_DIGITS, '0').slice(-TIME_DIGITS);
  const digits = randomHex(random, 10);
  const variant = VARIANTS[Math.floor(random() * VARIANTS.length)]!;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-${variant}${digits.slice(3, 6)}-${digits.slice(6, 18)}`;
};
