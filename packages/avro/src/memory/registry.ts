import type { Registry } from '../codec.ts';
import { IncompatibleSchema } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { cannotRead } from '../schema.ts';

type Level = Parameters<Registry['setCompatibility']>[0];
interface Version {
  readonly id: number;
  readonly version: number;
  readonly schema: string;
}

const compact = (schema: string): string => JSON.stringify(JSON.parse(schema));

/** A registry in memory, held to the real ones' behaviour by their contract suite. Starts with BACKWARD for all subjects. */
export const memoryRegistry = (): Registry => {
  const subjects = new Map<string, Version[]>();
  const ids = new Map<string, number>();
  const levels = new Map<string, Level>();
  let common: Level = 'BACKWARD';

  const versionsOf = (subject: string): readonly Version[] => subjects.get(subject) ?? [];
  const found = (subject: string, text: string): Version | undefined =>
    versionsOf(subject).find(({ schema }) => schema === text);

  const refusal = (subject: string, text: string): string | undefined => {
    const level = levels.get(subject) ?? common;
    const kept = versionsOf(subject);
    const judged = level === 'BACKWARD' ? kept.slice(-1) : kept;
    for (const { schema, version } of judged) {
      const reason = cannotRead(text, schema, DEFAULT_LIMITS);
      if (reason !== undefined) return `version ${version} cannot be read with it: ${reason}`;
    }
    return undefined;
  };

  return {
    schemaById: async id => [...ids].find(([, known]) => known === id)?.[0],
    idOf: async (subject, schema) => found(subject, compact(schema))?.id,
    latest: async subject => versionsOf(subject).at(-1),
    whyIncompatible: async (subject, schema) => refusal(subject, compact(schema)),
    register: async (subject, schema) => {
      const text = compact(schema);
      const known = found(subject, text);
      if (known !== undefined) return known.id;
      const reason = refusal(subject, text);
      if (reason !== undefined) throw new IncompatibleSchema(subject, reason);
      const id = ids.get(text) ?? ids.size + 1;
      ids.set(text, id);
      const kept = versionsOf(subject);
      subjects.set(subject, [...kept, { id, version: kept.length + 1, schema: text }]);
      return id;
    },
    setCompatibility: async (level, subject) => {
      if (subject === undefined) common = level;
      else levels.set(subject, level);
    },
  };
};
