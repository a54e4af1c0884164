/** What a value and its schema may cost. A value past a limit is `too-large`, a schema past one a `schema-mismatch`. */
export interface Limits {
  /** Bytes of one value, frame included. */
  readonly valueBytesMax: number;
  /** Items of one array, or entries of one map. */
  readonly itemCountMax: number;
  /** Bytes of one string, map key or `bytes` field. */
  readonly fieldBytesMax: number;
  /** Levels of records, arrays, maps and unions in a schema. */
  readonly depthMax: number;
  /** Types in a schema, each counted wherever it is used. */
  readonly schemaTypesMax: number;
  /** Characters of a schema's text. */
  readonly schemaCharsMax: number;
}

export const DEFAULT_LIMITS: Limits = {
  valueBytesMax: 1_048_576,
  itemCountMax: 10_000,
  fieldBytesMax: 262_144,
  depthMax: 32,
  schemaTypesMax: 10_000,
  schemaCharsMax: 262_144,
};
