export type { Rows, Scored, Scorer } from './scorer.ts';
