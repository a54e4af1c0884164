/** What must hold in every course: each violation begins with one of these names. */
export const INVARIANTS = [
  'answered once',
  'sent again once',
  'scored right',
  'by the rules',
  'vectors equal a fold',
  'order of vectors',
  'order of predictions',
  'epochs never fall',
  'state equals a fold',
  'committed is applied',
  'memory stays within its marks',
  'everything comes to rest',
  'a quiet pipeline writes nothing',
  'no process ends of itself',
  'nothing is left behind',
] as const;

export type Invariant = (typeof INVARIANTS)[number];

export const isOf = (invariant: Invariant, violation: string): boolean =>
  violation.startsWith(`${invariant}:`);
