/** Time, handed in; the clock of telemetry fits. */
export interface RegistryClock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface RegistryOptions {
  /** Base address of the Confluent-compatible API: `http://host:8081`, or Apicurio's `http://host:8080/apis/ccompat/v7`. */
  readonly url: string;
  readonly clock: RegistryClock;
  readonly auth?: { readonly username: string; readonly password: string } | { readonly token: string };
  /** Options of `tls.connect`, where its certificate is not signed by one that the system trusts, or it wants one of ours. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Longest one request may take, its answer included. */
  readonly timeoutMs?: number;
  readonly retry?: Partial<RetryOptions>;
  /** How long an id that did not exist is taken not to exist. */
  readonly unknownIdMsMax?: number;
}

export interface RetryOptions {
  /** Attempts after the first one. */
  readonly retryCountMax: number;
  /** Wait before the first of them; doubled for each further one. */
  readonly retryWaitMs: number;
}

export const REGISTRY_DEFAULTS = {
  timeoutMs: 5_000,
  retry: { retryCountMax: 3, retryWaitMs: 100 },
  unknownIdMsMax: 30_000,
} as const;
