import {
  type ConfigOf,
  kafkaFields,
  listField,
  numberField,
  optional,
  registryFields,
  structuredField,
  switchField,
  usual,
} from '@millrace/runtime';
import { type ApiKey, parseKeys } from './auth/keys.ts';

const MIB = 1 << 20;

/** Settings of ingest. */
export const INGEST_SPEC = {
  ...kafkaFields,
  ...registryFields,
  host: usual.host,
  port: usual.port,
  pipelines: optional(
    listField({ env: 'MILLRACE_PIPELINES', help: 'Pipelines to serve; all when left out.' }),
  ),
  apiKeys: structuredField<readonly ApiKey[]>({
    env: 'INGEST_API_KEYS',
    help: 'Who may send: name=key,... or in the file names with {key, pipelines}.',
    secret: true,
    fallback: [],
    parse: parseKeys,
  }),
  insecureNoAuth: switchField({
    env: 'INGEST_INSECURE_NO_AUTH',
    help: 'Takes events from anyone when no keys are set. For a laptop only.',
    fallback: false,
  }),
  bodyBytesMax: numberField({
    env: 'INGEST_BODY_BYTES_MAX',
    help: 'Bytes of one request.',
    min: 1_024,
    max: 64 * MIB,
    fallback: 4 * MIB,
  }),
  eventsMax: numberField({
    env: 'INGEST_EVENTS_MAX',
    help: 'Events of one request.',
    min: 1,
    max: 100_000,
    fallback: 10_000,
  }),
  requestMsMax: numberField({
    env: 'INGEST_REQUEST_MS_MAX',
    help: 'Time in which a request must have come in whole, milliseconds.',
    min: 100,
    max: 600_000,
    fallback: 15_000,
  }),
  sendMsMax: numberField({
    env: 'INGEST_SEND_MS_MAX',
    help: 'Longest wait for the broker before 503, milliseconds.',
    min: 100,
    max: 600_000,
    fallback: 15_000,
  }),
  sendRecordsMax: numberField({
    env: 'INGEST_SEND_RECORDS_MAX',
    help: 'Records of one send to the broker (one request may be larger).',
    min: 1,
    max: 100_000,
    fallback: 2_000,
  }),
  inFlightBytesMax: numberField({
    env: 'INGEST_IN_FLIGHT_BYTES_MAX',
    help: 'Bytes read and not yet acknowledged, over all requests; past it 503.',
    min: 4 * MIB,
    max: 4_096 * MIB,
    fallback: 64 * MIB,
  }),
  inFlightRecordsMax: numberField({
    env: 'INGEST_IN_FLIGHT_RECORDS_MAX',
    help: 'Events handed to the broker and not yet acknowledged, over all requests; past it 503.',
    min: 1_000,
    max: 10_000_000,
    fallback: 200_000,
  }),
  inFlightRequestsMax: numberField({
    env: 'INGEST_IN_FLIGHT_REQUESTS_MAX',
    help: 'Requests under way; past it 503.',
    min: 1,
    max: 100_000,
    fallback: 2_000,
  }),
  keyRequestsMax: numberField({
    env: 'INGEST_KEY_REQUESTS_MAX',
    help: 'Requests under way of one key; past it 429.',
    min: 1,
    max: 100_000,
    fallback: 1_000,
  }),
  duplicateHorizonMs: numberField({
    env: 'INGEST_DUPLICATE_HORIZON_MS',
    help: 'How long an acknowledged event id is remembered, milliseconds.',
    min: 0,
    max: 86_400_000,
    fallback: 600_000,
  }),
  duplicateEventsMax: numberField({
    env: 'INGEST_DUPLICATE_EVENTS_MAX',
    help: 'Acknowledged event ids remembered at most.',
    min: 0,
    max: 10_000_000,
    fallback: 200_000,
  }),
} as const;

export type IngestConfig = ConfigOf<typeof INGEST_SPEC>;
/** What the service itself needs of them; the addresses are for the process. */
export type IngestSettings = Omit<
  IngestConfig,
  keyof typeof kafkaFields | keyof typeof registryFields | 'pipelines'
>;

/** The defaults, for those who compose ingest without a process. */
export const INGEST_DEFAULTS = Object.fromEntries(
  Object.entries(INGEST_SPEC).flatMap(([name, { fallback }]) =>
    fallback === undefined ? [] : [[name, fallback.value]],
  ),
) as IngestSettings;
