import type { Target } from './target.ts';
import { avroTarget, frameTarget, schemaTarget } from './targets/avro.ts';
import { ingestTarget } from './targets/ingest.ts';
import { cloudEventsTarget, jsonTarget } from './targets/json.ts';
import { lettersTarget } from './targets/letters.ts';
import { manifestTarget, onnxTarget } from './targets/model.ts';
import { recordsTarget } from './targets/records.ts';
import { registryTarget } from './targets/registry.ts';
import { rowsTarget } from './targets/rows.ts';

/** Whatever takes bytes from outside, by name. */
export const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  frame: frameTarget,
  avro: avroTarget,
  rows: rowsTarget,
  schema: schemaTarget,
  json: jsonTarget,
  cloudevents: cloudEventsTarget,
  records: recordsTarget,
  letters: lettersTarget,
  registry: registryTarget,
  manifest: manifestTarget,
  onnx: onnxTarget,
  ingest: ingestTarget,
};
