/** Good events, as far as their fields go. */
export const payments = (): readonly (object & { readonly eventId: string })[] =>
  Array.from({ length: 4 }, (_, i) => ({
    eventId: `e${i}`,
    customerId: `c${i}`,
    terminalId: `t${i}`,
    txAt: 1_700_000_000_000 + i,
    amount: 12.5 * i,
    sequence: i,
  }));

export type Schema = string | readonly Schema[] | Readonly<Record<string, unknown>>;

const PLAIN: Readonly<Record<string, unknown>> = {
  null: null, boolean: true, int: -7, long: 1_700_000_000_000, float: 0.5, double: 12.5, string: 'text',
  bytes: Buffer.from([0, 1, 0xff]),
}; // prettier-ignore

/** A good value of a schema: of unions the first branch, or the last. */
export const valueOf = (schema: Schema, branch: 'first' | 'last', named = new Map<string, Schema>()): unknown => {
  const value = (of: Schema): unknown => valueOf(of, branch, named);
  if (typeof schema === 'string') return schema in PLAIN ? PLAIN[schema] : value(named.get(schema)!);
  if (Array.isArray(schema)) return value((schema as readonly Schema[]).at(branch === 'first' ? 0 : -1)!);
  const { type, name, fields, symbols, size, items, values } = schema as Readonly<Record<string, Schema & unknown[]>>;
  if (name !== undefined) named.set(String(name), schema);
  if (type === undefined) throw new TypeError(`no schema: ${JSON.stringify(schema)}`);
  const kind = type as unknown;
  if (kind === 'record')
    return Object.fromEntries((fields as unknown as readonly { readonly name: string; readonly type: Schema }[]).map(field => [field.name, value(field.type)]));
  if (kind === 'enum') return symbols![0];
  if (kind === 'fixed') return Buffer.alloc(Number(size));
  if (kind === 'array') return [value(items!), value(items!)];
  if (kind === 'map') return { a: value(values!), constructor: value(values!) };
  return value(type);
}; // prettier-ignore
