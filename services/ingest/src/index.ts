export { type ApiKey } from './auth/keys.ts';
export { INGEST_DEFAULTS, INGEST_SPEC, type IngestConfig } from './config.ts';
export { ingestService, type IngestOptions, type IngestService } from './service.ts';
export { type AvroRecord, readSchema } from './coerce/schema.ts';
export { toValue } from './coerce/value.ts';
