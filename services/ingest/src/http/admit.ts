import type { HttpReply, HttpRequest } from '@millrace/runtime';
import type { Clock, Metrics } from '@millrace/telemetry';
import { type ApiKey, keyFinder } from '../auth/keys.ts';
import type { MediaType } from '../body/read.ts';
import type { IngestConfig } from '../config.ts';
import type { Stream, Target } from '../event/target.ts';
import { Gate } from '../gate/gate.ts';
import {
  authenticate,
  busy,
  bytesWanted,
  checkContent,
  findStream,
  isRefused,
  type Refused,
} from './admission.ts';

export interface AdmitOptions {
  readonly streams: readonly Stream[];
  /** Undefined until the registry has answered, and while the process drains. */
  readonly targetOf: (stream: Stream) => Target | undefined;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly config: Pick<
    IngestConfig,
    'apiKeys' | 'bodyBytesMax' | 'inFlightBytesMax' | 'inFlightRequestsMax' | 'keyRequestsMax'
  >;
}

/** What was settled of a request before its body is read. */
export interface Admitted {
  readonly key: ApiKey;
  readonly target: Target;
  readonly type: MediaType;
}

const RETRY_AFTER_S = { starting: 2, busy: 1 } as const;

/** Counts and times a request once it is over, also when the client is gone before its answer. */
const measure = (
  { clock, metrics }: AdmitOptions,
  reply: HttpReply,
  to: Pick<Stream, 'pipeline' | 'stream'>,
): void => {
  const { pipeline, stream } = to;
  const beganMs = clock.now();
  reply.raw.once('close', () => {
    metrics.observe('millrace_ingest_seconds', { pipeline, stream }, (clock.now() - beganMs) / 1_000);
    metrics.count('millrace_ingest_requests_total', {
      pipeline,
      stream,
      status: String(reply.raw.statusCode),
    });
  });
};

/** Takes a place at the gate until the request is over, or says why there is none. */
const takePlace = (
  gate: Gate,
  metrics: Metrics,
  reply: HttpReply,
  key: ApiKey,
  bytes: number,
): Refused | undefined => {
  const leave = gate.enter(key.name, bytes);
  if (leave === 'key-busy')
    return busy(
      'Too many requests of this key are under way; wait for their answers.',
      RETRY_AFTER_S.busy,
      429,
    );
  if (leave === 'busy') return busy('As much is under way as may be; send again.', RETRY_AFTER_S.busy);
  metrics.set('millrace_ingest_in_flight_bytes', {}, gate.bytes);
  reply.raw.once('close', () => {
    leave();
    metrics.set('millrace_ingest_in_flight_bytes', {}, gate.bytes);
  });
  return undefined;
};

/** Says everything that can be said of a request before its body is read. */
export const admission = (
  options: AdmitOptions,
): ((request: HttpRequest, reply: HttpReply) => Admitted | Refused) => {
  const { streams, config, metrics } = options;
  const find = config.apiKeys.length > 0 ? keyFinder(config.apiKeys) : undefined;
  const gate = new Gate({
    bytesMax: config.inFlightBytesMax,
    requestsMax: config.inFlightRequestsMax,
    requestsPerKeyMax: config.keyRequestsMax,
  });
  return (request, reply) => {
    const key = authenticate(request.headers, find);
    const { pipeline = '', stream = '' } = request.params as { pipeline?: string; stream?: string };
    const found = isRefused(key) ? key : findStream(streams, key, pipeline, stream);
    // Names that are not ours are no labels: anyone could make any number of them.
    measure(options, reply, isRefused(found) ? { pipeline: 'unknown', stream: 'unknown' } : found);
    if (isRefused(key)) return key;
    if (isRefused(found)) return found;
    const target = options.targetOf(found);
    if (target === undefined)
      return busy('This instance is starting or stopping; send again.', RETRY_AFTER_S.starting);
    const type = checkContent(request.headers);
    if (typeof type === 'object') return type;
    const bytes = bytesWanted(request.headers, config.bodyBytesMax);
    if (typeof bytes === 'object') return bytes;
    return takePlace(gate, metrics, reply, key, bytes) ?? { key, target, type };
  };
};
