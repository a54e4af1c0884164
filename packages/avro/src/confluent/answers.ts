import { RegistryUnavailable } from '../errors.ts';
import type { Answer } from './http.ts';

export const record = (body: unknown): Readonly<Record<string, unknown>> =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};

export const NO_WORDS = 'the registry gives no reason';

/** Longer reasons are cut: they go into logs. */
const WORDS_CHARS_MAX = 2_000;

const texts = (values: readonly unknown[]): readonly unknown[] =>
  values.filter(x => typeof x === 'string' && x !== '');

/** The registry's words on a refusal. */
export const wordsOf = (body: unknown): string | undefined => {
  const { message, messages, detail } = record(body);
  const words =
    Array.isArray(messages) && messages.length > 0
      ? texts(messages).join('; ')
      : texts([message, detail]).join(': ');
  return words.slice(0, WORDS_CHARS_MAX) || undefined;
};

export const unexpected = (what: string, { status, body }: Answer): RegistryUnavailable =>
  new RegistryUnavailable(`the schema registry answered ${status} to ${what}: ${wordsOf(body) ?? NO_WORDS}`);

export const numberIn = (answer: Answer, name: string, what: string): number => {
  const value = record(answer.body)[name];
  if (!Number.isSafeInteger(value)) throw unexpected(what, answer);
  return value as number;
};
export const textIn = (answer: Answer, name: string, what: string): string => {
  const value = record(answer.body)[name];
  if (typeof value !== 'string') throw unexpected(what, answer);
  return value;
};
