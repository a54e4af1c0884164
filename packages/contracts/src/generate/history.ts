import { cannotRead, DEFAULT_LIMITS } from '@millrace/avro';
import { compactSchema } from './avsc.ts';

/** Earlier versions of one schema that were released, oldest first. */
export interface SchemaHistory {
  /** Under `schemas/` without its ending: `fraud/transaction`. */
  readonly path: string;
  readonly current: string;
  readonly kept: readonly string[];
}

/** Where the version of a number is kept, from the folder of the schemas: `history/fraud/transaction.1.avsc`. */
export const historyFile = (path: string, version: number): string => `history/${path}.${version}.avsc`;

/** Why values of a kept version could no longer be read; empty when all can. */
export const historyProblems = ({ path, current, kept }: SchemaHistory): readonly string[] =>
  kept.flatMap((text, i) => {
    const reason = cannotRead(current, text, DEFAULT_LIMITS);
    return reason === undefined ? [] : [`${path} does not read its version ${i + 1}: ${reason}`];
  });

/** Number under which the current version is to be kept; undefined when the newest kept one is the same. */
export const versionToKeep = ({ current, kept }: SchemaHistory): number | undefined => {
  const newest = kept.at(-1);
  return newest !== undefined && compactSchema(newest) === compactSchema(current)
    ? undefined
    : kept.length + 1;
};
