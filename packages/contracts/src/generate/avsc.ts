/** Avro schemas as JSON, as far as we write them. */
export type Avsc = string | readonly Avsc[] | AvscObject;
export interface AvscObject {
  readonly type: Avsc;
  readonly [attribute: string]: unknown;
}
export interface AvscField {
  readonly name: string;
  readonly type: Avsc;
  readonly doc?: string;
  readonly default?: unknown;
}
export interface AvscRecord extends AvscObject {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly fields: readonly AvscField[];
}

/** One spelling of a schema: the text that is registered, whatever the layout of its file. */
export const compactSchema = (text: string): string => JSON.stringify(JSON.parse(text));

/** @throws TypeError when the text is no record schema: topics carry records */
export const parseRecord = (text: string, path: string): AvscRecord => {
  const schema = JSON.parse(text) as Partial<AvscRecord> | null;
  if (schema?.type !== 'record' || !Array.isArray(schema.fields))
    throw new TypeError(`schema '${path}' is no record`);
  return schema as AvscRecord;
};
