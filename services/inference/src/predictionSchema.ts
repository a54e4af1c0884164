/** What the pipeline says of its predictions, held against their schema. */
import type { RecordCodec } from '@millrace/avro';
import type { PredictionValue } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';

/** @throws TypeError where a field is of another type */
export const hasType = (codec: RecordCodec<PredictionValue>, path: string, type: string): void => {
  const found = codec.rows.field(path).place.type.typeName;
  if (found !== type) throw new TypeError(`field '${path}' of the prediction is ${found}, not ${type}`);
};

/** Business figures that are text. */
export const textKpis = (pipeline: Pipeline, codec: RecordCodec<PredictionValue>): ReadonlySet<string> =>
  new Set(
    Object.keys(pipeline.kpis).filter(
      name => codec.rows.field(`kpis.${name}`).place.type.typeName !== 'double',
    ),
  );

/** @throws TypeError where the record within the prediction has other fields than the pipeline names */
export const sameNames = (
  codec: RecordCodec<PredictionValue>,
  path: string,
  names: readonly string[],
): void => {
  const found = codec.rows.fieldsOf(path).map(({ name }) => name);
  if (found.join() !== names.join())
    throw new TypeError(`field '${path}' of the prediction has other names than the pipeline`);
};
