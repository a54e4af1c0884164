import { createHash, timingSafeEqual } from 'node:crypto';
import { Mistake } from '@millrace/runtime';

/** Who may send, and where to. */
export interface ApiKey {
  /** Stands in each event's lineage as its producer. */
  readonly name: string;
  readonly key: string;
  /** Names of pipelines; undefined for all. */
  readonly pipelines?: readonly string[] | undefined;
}

const KEY_CHARS_MIN = 12;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const WANTED = `name=key pairs separated by commas, or in the file names with a key each, or with {key, pipelines}; keys of at least ${KEY_CHARS_MIN} characters, each once`;

const fromPair = (pair: string): ApiKey => ({
  name: pair.slice(0, Math.max(0, pair.indexOf('='))).trim(),
  key: pair.slice(pair.indexOf('=') + 1).trim(),
});

const fromEntry = (name: string, value: unknown): ApiKey | undefined => {
  if (typeof value === 'string') return { name, key: value };
  if (typeof value !== 'object' || value === null) return undefined;
  const { key, pipelines } = value as { key?: unknown; pipelines?: unknown };
  if (typeof key !== 'string') return undefined;
  if (pipelines === undefined) return { name, key };
  return Array.isArray(pipelines) && pipelines.every(one => typeof one === 'string')
    ? { name, key, pipelines: pipelines as string[] }
    : undefined;
};

/** Reads keys as a setting holds them: `a=key1,b=key2` in a variable, names with keys in a file. */
export const parseKeys = (value: unknown): readonly ApiKey[] | Mistake => {
  const found =
    typeof value === 'string'
      ? value
          .split(',')
          .filter(pair => pair.trim() !== '')
          .map(fromPair)
      : typeof value === 'object' && value !== null
        ? Object.entries(value).map(([name, entry]) => fromEntry(name, entry))
        : [];
  const keys = found.filter(one => one !== undefined);
  const fine =
    keys.length > 0 &&
    keys.length === found.length &&
    keys.every(({ name, key }) => NAME.test(name) && key.length >= KEY_CHARS_MIN) &&
    new Set(keys.map(one => one.key)).size === keys.length;
  return fine ? keys : new Mistake(WANTED);
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Finds a key by its text, in a time that tells nothing of the keys: digests of one length are compared, always all.
 */
export const keyFinder = (keys: readonly ApiKey[]): ((text: string) => ApiKey | undefined) => {
  const known = keys.map(key => ({ key, digest: digest(key.key) }));
  return text => {
    const wanted = digest(text);
    let found: ApiKey | undefined;
    for (const one of known) if (timingSafeEqual(one.digest, wanted)) found = one.key;
    return found;
  };
};

/** The key that a request carries: `Authorization: Bearer KEY`, or `X-API-Key: KEY`. */
export const presentedKey = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
): string | undefined => {
  const { authorization, 'x-api-key': plain } = headers;
  const bearer =
    typeof authorization === 'string' ? /^Bearer +(\S+) *$/i.exec(authorization)?.[1] : undefined;
  return bearer ?? (typeof plain === 'string' && plain !== '' ? plain : undefined);
};
