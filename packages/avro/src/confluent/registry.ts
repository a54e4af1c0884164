import type { Registry } from '../codec.ts';
import { IncompatibleSchema } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { cannotRead } from '../schema.ts';
import { NO_WORDS, numberIn, record, textIn, unexpected, wordsOf } from './answers.ts';
import { type Ask, httpClient } from './http.ts';
import { REGISTRY_DEFAULTS, type RegistryOptions } from './options.ts';
import { SchemaTexts } from './texts.ts';

const OK = 200;
const NOT_FOUND = 404;
const CONFLICT = 409;
const INVALID = 422;

const compact = (schema: string): string => JSON.stringify(JSON.parse(schema));

const at = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`;

const lookUpIn =
  (ask: Ask) =>
  async (id: number): Promise<string | undefined> => {
    const what = `the look-up of schema ${id}`;
    const answer = await ask('GET', `/schemas/ids/${id}`);
    if (answer.status === NOT_FOUND) return undefined;
    if (answer.status !== OK) throw unexpected(what, answer);
    return textIn(answer, 'schema', what);
  };

const latestIn =
  (ask: Ask): Registry['latest'] =>
  async subject => {
    const what = `the latest version of '${subject}'`;
    const answer = await ask('GET', `${at(subject)}/versions/latest`);
    if (answer.status === NOT_FOUND) return undefined;
    if (answer.status !== OK) throw unexpected(what, answer);
    const [id, version] = [numberIn(answer, 'id', what), numberIn(answer, 'version', what)];
    return { id, version, schema: textIn(answer, 'schema', what) };
  };

const refusalIn =
  (ask: Ask, latest: Registry['latest']): Registry['whyIncompatible'] =>
  async (subject, schema) => {
    const what = `the compatibility check of '${subject}'`;
    const rule = await ask('GET', `/config/${encodeURIComponent(subject)}?defaultToGlobal=true`);
    if (rule.status === NOT_FOUND) return undefined; // the subject is new
    // Apicurio judges what it is asked about, not what the rule says: all versions, or one.
    const transitive = String(record(rule.body)['compatibilityLevel']).endsWith('_TRANSITIVE');
    const path = `/compatibility${at(subject)}/versions${transitive ? '' : '/latest'}?verbose=true`;
    const answer = await ask('POST', path, { schema: compact(schema) });
    if (answer.status === NOT_FOUND) return undefined;
    if (answer.status === INVALID) return wordsOf(answer.body) ?? NO_WORDS;
    const fits = record(answer.body)['is_compatible'];
    if (answer.status !== OK || typeof fits !== 'boolean') throw unexpected(what, answer);
    if (fits) return undefined;
    const words = wordsOf(answer.body);
    if (words !== undefined) return words;
    // Apicurio says no without a word; by our own reading a person learns at least what to look at.
    const newest = await latest(subject);
    return (newest && cannotRead(schema, newest.schema, DEFAULT_LIMITS)) ?? NO_WORDS;
  };

/**
 * A registry with Confluent's API. Its requests have a time limit and are repeated when the world is bad; texts are kept
 * by id for good, and ids that do not exist for a while.
 */
export const confluentRegistry = (options: RegistryOptions): Registry => {
  const { clock, unknownIdMsMax = REGISTRY_DEFAULTS.unknownIdMsMax } = options;
  const ask = httpClient(options);
  const texts = new SchemaTexts(lookUpIn(ask), () => clock.now(), unknownIdMsMax);
  const latest = latestIn(ask);

  return {
    schemaById: id => texts.of(id),
    latest,
    whyIncompatible: refusalIn(ask, latest),

    idOf: async (subject, schema) => {
      const what = `the look-up under '${subject}'`;
      const answer = await ask('POST', at(subject), { schema: compact(schema) });
      if (answer.status === NOT_FOUND) return undefined;
      if (answer.status !== OK) throw unexpected(what, answer);
      return numberIn(answer, 'id', what);
    },

    register: async (subject, schema) => {
      const what = `the registration under '${subject}'`;
      const answer = await ask('POST', `${at(subject)}/versions`, { schema: compact(schema) });
      if (answer.status === CONFLICT || answer.status === INVALID)
        throw new IncompatibleSchema(subject, wordsOf(answer.body) ?? NO_WORDS);
      if (answer.status !== OK) throw unexpected(what, answer);
      return numberIn(answer, 'id', what);
    },

    setCompatibility: async (compatibility, subject) => {
      const path = subject === undefined ? '/config' : `/config/${encodeURIComponent(subject)}`;
      const answer = await ask('PUT', path, { compatibility });
      if (answer.status !== OK) throw unexpected('a change of the compatibility rule', answer);
    },
  };
};
