import type { Target } from './target.ts';
import { avroTarget, frameTarget, schemaTarget } from './targets/avro.ts';
import { ingestTarget } from './targets/ingest.ts';
import { cloudEventsTarget, jsonTarget } from './targets/json.ts';
import { manifestTarget, onnxTarget } from './targets/model.ts';
import { recordsTarget } from './targets/records.ts';
import { registryTarget } from './targets/registry.ts';

/** Whatever takes bytes from outside, by name. */
export const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  frame: frameTarget,
  avro: avroTarget,
  schema: schemaTarget,
  json: jsonTarget,
  cloudevents: cloudEventsTarget,
  records: recordsTarget,
  registry: registryTarget,
  manifest: manifestTarget,
  onnx: onnxTarget,
  ingest: ingestTarget,
};
