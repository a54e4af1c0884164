import { Agent, fetch, type Response } from 'undici';
import { RegistryUnavailable } from '../errors.ts';
import { REGISTRY_DEFAULTS, type RegistryOptions } from './options.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}
export type Method = 'GET' | 'POST' | 'PUT';
/** One request of the registry's API. @throws RegistryUnavailable when no usable answer came, after retries */
export type Ask = (method: Method, path: string, body?: object) => Promise<Answer>;

/** An answer longer than this is no schema of ours. */
const ANSWER_BYTES_MAX = 4_194_304;
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
const OVERLOADED = new Set([408, 429]);
const SERVER_ERROR = 500;
const FORBIDDEN = new Set([401, 403]);

const authorization = (auth: RegistryOptions['auth']): Record<string, string> => {
  if (auth === undefined) return {};
  const text =
    'token' in auth
      ? `Bearer ${auth.token}`
      : `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  return { authorization: text };
};

const textOf = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += (chunk as Uint8Array).length;
    if (length > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const NOT_TRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/;
const REMEDY =
  'SCHEMA_REGISTRY_SSL_CA_LOCATION must hold what signs its certificate, which must be valid today and name its address';

interface Failed {
  readonly message: string;
  readonly cause?: { readonly message?: string; readonly code?: unknown };
}

const causeOf = (error: unknown): string => {
  const { message, cause } = error as Failed;
  if (cause?.message === undefined) return message;
  const remedy = NOT_TRUSTED.test(String(cause.code)) ? `; ${REMEDY}` : '';
  return `${message}: ${cause.message}${remedy}`;
};

export const httpClient = (options: RegistryOptions): Ask => {
  const { clock, timeoutMs = REGISTRY_DEFAULTS.timeoutMs } = options;
  const { retryCountMax, retryWaitMs } = { ...REGISTRY_DEFAULTS.retry, ...options.retry };
  const base = options.url.replace(/\/+$/, '');
  // Node's own fetch takes no certificates.
  const dispatcher = new Agent(options.tls === undefined ? {} : { connect: options.tls });
  const headers = { accept: `${CONTENT_TYPE}, application/json`, ...authorization(options.auth) };

  const once = async (method: Method, path: string, body?: object): Promise<Answer> => {
    const request = new AbortController();
    const timer = new AbortController();
    const late = clock.sleep(timeoutMs, timer.signal).then(
      () => request.abort(new Error(`no answer within ${timeoutMs} ms`)),
      () => undefined, // the answer came first
    );
    try {
      const response = await fetch(base + path, {
        method,
        headers: body === undefined ? headers : { ...headers, 'content-type': CONTENT_TYPE },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error', // a registry does not send us elsewhere
        signal: request.signal,
        dispatcher,
      });
      const text = await textOf(response);
      if (response.status >= SERVER_ERROR || OVERLOADED.has(response.status))
        throw new Error(`it answered ${response.status}`);
      return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
    } finally {
      timer.abort();
      await late;
    }
  };

  return async (method, path, body) => {
    for (let attempt = 0; ; attempt++)
      try {
        const answer = await once(method, path, body);
        if (!FORBIDDEN.has(answer.status)) return answer;
        throw new RegistryUnavailable(
          `the schema registry at ${base} refuses our credentials: check SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO or SCHEMA_REGISTRY_BEARER_AUTH_TOKEN`,
          { retriable: false },
        );
      } catch (error) {
        if (error instanceof RegistryUnavailable) throw error;
        if (attempt >= retryCountMax)
          throw new RegistryUnavailable(
            `the schema registry at ${base} does not answer (${attempt + 1} attempts): ${causeOf(error)}`,
            { cause: error },
          );
        await clock.sleep(retryWaitMs * 2 ** attempt);
      }
  };
};
