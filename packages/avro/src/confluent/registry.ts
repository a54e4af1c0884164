import type { Registry } from '../codec.ts';
import { IncompatibleSchema, RegistryUnavailable } from '../errors.ts';
import { type Answer, httpClient } from './http.ts';
import { REGISTRY_DEFAULTS, type RegistryOptions } from './options.ts';

const OK = 200;
const NOT_FOUND = 404;
const CONFLICT = 409;
const INVALID = 422;

/** Ids remembered not to exist; the oldest are forgotten first, so that made-up ids cannot fill the memory. */
const UNKNOWN_IDS_MAX = 10_000;

const compact = (schema: string): string => JSON.stringify(JSON.parse(schema));

const record = (body: unknown): Readonly<Record<string, unknown>> =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};

/** The registry's words on a refusal. */
const wordsOf = (body: unknown): string => {
  const { message, messages, detail } = record(body);
  if (Array.isArray(messages) && messages.length > 0) return messages.map(String).join('; ');
  return [message, detail].filter(x => typeof x === 'string' && x !== '').join(': ') || 'no reason given';
};

const unexpected = (what: string, { status, body }: Answer): RegistryUnavailable =>
  new RegistryUnavailable(`the schema registry answered ${status} to ${what}: ${wordsOf(body)}`);

const numberIn = (answer: Answer, name: string, what: string): number => {
  const value = record(answer.body)[name];
  if (!Number.isSafeInteger(value)) throw unexpected(what, answer);
  return value as number;
};
const textIn = (answer: Answer, name: string, what: string): string => {
  const value = record(answer.body)[name];
  if (typeof value !== 'string') throw unexpected(what, answer);
  return value;
};

/** Texts by id: what exists never changes, what does not exist may come to. */
class SchemaTexts {
  readonly #texts = new Map<number, string>();
  readonly #unknownUntilMs = new Map<number, number>();
  readonly #underWay = new Map<number, Promise<string | undefined>>();
  readonly #look: (id: number) => Promise<string | undefined>;
  readonly #now: () => number;
  readonly #unknownIdMsMax: number;

  constructor(look: (id: number) => Promise<string | undefined>, now: () => number, unknownIdMsMax: number) {
    this.#look = look;
    this.#now = now;
    this.#unknownIdMsMax = unknownIdMsMax;
  }

  /** Look-ups of one id at one time are one request; a failed one is not remembered. */
  async of(id: number): Promise<string | undefined> {
    const known = this.#texts.get(id);
    if (known !== undefined) return known;
    if ((this.#unknownUntilMs.get(id) ?? -Infinity) > this.#now()) return undefined;
    const underWay = this.#underWay.get(id) ?? this.#ask(id);
    this.#underWay.set(id, underWay);
    return underWay;
  }

  async #ask(id: number): Promise<string | undefined> {
    try {
      const text = await this.#look(id);
      if (text === undefined) this.#forbid(id);
      else this.#texts.set(id, text);
      return text;
    } finally {
      this.#underWay.delete(id);
    }
  }

  #forbid(id: number): void {
    this.#unknownUntilMs.delete(id);
    if (this.#unknownUntilMs.size >= UNKNOWN_IDS_MAX)
      this.#unknownUntilMs.delete(this.#unknownUntilMs.keys().next().value!);
    this.#unknownUntilMs.set(id, this.#now() + this.#unknownIdMsMax);
  }
}

/**
 * A registry with Confluent's API. Its requests have a time limit and are repeated when the world is bad; texts are kept
 * by id for good, and ids that do not exist for a while.
 */
export const confluentRegistry = (options: RegistryOptions): Registry => {
  const ask = httpClient(options);
  const at = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`;

  const look = async (id: number): Promise<string | undefined> => {
    const what = `the look-up of schema ${id}`;
    const answer = await ask('GET', `/schemas/ids/${id}`);
    if (answer.status === NOT_FOUND) return undefined;
    if (answer.status !== OK) throw unexpected(what, answer);
    return textIn(answer, 'schema', what);
  };
  const texts = new SchemaTexts(
    look,
    () => options.clock.now(),
    options.unknownIdMsMax ?? REGISTRY_DEFAULTS.unknownIdMsMax,
  );

  return {
    schemaById: id => texts.of(id),

    idOf: async (subject, schema) => {
      const what = `the look-up under '${subject}'`;
      const answer = await ask('POST', at(subject), { schema: compact(schema) });
      if (answer.status === NOT_FOUND) return undefined;
      if (answer.status !== OK) throw unexpected(what, answer);
      return numberIn(answer, 'id', what);
    },

    latest: async subject => {
      const what = `the latest version of '${subject}'`;
      const answer = await ask('GET', `${at(subject)}/versions/latest`);
      if (answer.status === NOT_FOUND) return undefined;
      if (answer.status !== OK) throw unexpected(what, answer);
      const [id, version] = [numberIn(answer, 'id', what), numberIn(answer, 'version', what)];
      return { id, version, schema: textIn(answer, 'schema', what) };
    },

    whyIncompatible: async (subject, schema) => {
      const what = `the compatibility check of '${subject}'`;
      const path = `/compatibility${at(subject)}/versions/latest?verbose=true`;
      const answer = await ask('POST', path, { schema: compact(schema) });
      if (answer.status === NOT_FOUND) return undefined; // the subject is new
      if (answer.status === INVALID) return wordsOf(answer.body);
      const fits = record(answer.body)['is_compatible'];
      if (answer.status !== OK || typeof fits !== 'boolean') throw unexpected(what, answer);
      return fits ? undefined : wordsOf(answer.body);
    },

    register: async (subject, schema) => {
      const what = `the registration under '${subject}'`;
      const answer = await ask('POST', `${at(subject)}/versions`, { schema: compact(schema) });
      if (answer.status === CONFLICT || answer.status === INVALID)
        throw new IncompatibleSchema(subject, wordsOf(answer.body));
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
