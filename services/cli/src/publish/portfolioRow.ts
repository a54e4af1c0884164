/**
 * From a line of a portfolio's file to an event and its outcome. What is written untidily and can mean one thing only is
 * read (blanks around a value, inside quotes too; a whole number with a decimal point; an empty cell where the schema
 * knows a missing value); anything else is refused, with the column and the kind of what was found, never its text.
 */
import { Bad } from '@millrace/avro';
import { catalogue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type AvroRecord, readSchema, toValue } from '@millrace/ingest';
import type { Portfolio } from '@millrace/pipelines';
import { CsvError, parse } from 'csv-parse/sync';
import type { StreamValue } from './publisher.ts';

/** Longest line, characters. */
export const LINE_CHARS_MAX = 65_536;

export type RefusalReason =
  'too-long' | 'not-utf8' | 'quoting' | 'column-count' | 'empty' | 'bad-value' | 'other-record';

/** A line that cannot be used. */
export class Refused {
  readonly reason: RefusalReason;
  /** One sentence for a person: column, kind of what was found, remedy. */
  readonly message: string;

  constructor(reason: RefusalReason, message: string) {
    this.reason = reason;
    this.message = message;
  }
}

/** What a line says. */
export interface PortfolioRow {
  readonly event: StreamValue;
  /** Undefined where its cell is empty: it is not known yet. */
  readonly outcome: StreamValue | undefined;
}

export type ReadRow = (line: string, rowNumber: number) => PortfolioRow | Refused;

const BYTE_ORDER_MARK = '\uFEFF';
/** What stands where bytes were no UTF-8. */
const REPLACEMENT = '\uFFFD';
const WHOLE_WITH_POINT = /^([+-]?\d+)\.0*$/;
const PRODUCER = 'millrace publish';

const cellsOf = (line: string): readonly string[] | Refused => {
  if (line.length > LINE_CHARS_MAX)
    return new Refused('too-long', `the line has ${line.length} characters; at most ${LINE_CHARS_MAX} are read`);
  if (line.includes(REPLACEMENT)) return new Refused('not-utf8', 'the line is not UTF-8; save the file as UTF-8');
  try {
    const [cells] = parse(line, { relax_column_count: true, trim: true });
    return (cells ?? ['']).map(cell => cell.trim());
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return new Refused('quoting', 'its quotes do not pair; double a quote that is part of a value');
  }
}; // prettier-ignore

/** Columns of a header line, by name. @throws RangeError where one that is needed is not there, or there twice */
const columnsOf = (file: string, header: string, { name, fields, idColumn, outcome }: Portfolio) => {
  const cells = cellsOf(header.startsWith(BYTE_ORDER_MARK) ? header.slice(1) : header);
  if (cells instanceof Refused) throw new RangeError(`${file}, line 1: ${cells.message}`);
  const needed = [...(idColumn === undefined ? [] : [idColumn]), ...Object.values(fields), outcome.column];
  const missing = needed.filter(column => !cells.includes(column));
  if (missing.length > 0)
    throw new RangeError(
      `${file} has no column ${missing.join(', ')}, which portfolio ${name} needs; it has: ${cells.join(', ')}`,
    );
  const twice = needed.find(column => cells.indexOf(column) !== cells.lastIndexOf(column));
  if (twice !== undefined) throw new RangeError(`${file} has two columns ${twice}: leave one out`);
  return { count: cells.length, at: new Map(cells.map((column, i) => [column, i])) };
};

const tidied = (cell: string): string => WHOLE_WITH_POINT.exec(cell)?.[1] ?? cell;

const schemaOf = (pipeline: Pipeline, stream: string): AvroRecord => {
  const topic = topicsOf(pipeline).events[stream]!;
  return readSchema(catalogue([pipeline]).find(({ name }) => name === topic)!.value!.schema);
};

/** The event's own fields as JSON: empty cells are null, and whole numbers are written as such. */
const fieldsOf = (
  schema: AvroRecord,
  { fields }: Portfolio,
  cell: (column: string) => string,
): Readonly<Record<string, unknown>> | Refused => {
  const found: Record<string, unknown> = {};
  for (const [name, column] of Object.entries(fields)) {
    const text = cell(column);
    const { type } = schema.fields.find(field => field.name === name)!;
    if (text !== '') found[name] = type.kind === 'int' || type.kind === 'long' ? tidied(text) : text;
    else if (type.kind === 'union' && type.branches.some(({ kind }) => kind === 'null')) found[name] = null;
    else return new Refused('empty', `column ${column} is empty; ${name} is required`);
  }
  return found;
};

/** @throws RangeError where the header does not fit the portfolio */
export const portfolioRowReader = (
  pipeline: Pipeline,
  portfolio: Portfolio,
  partName: string,
  file: string,
  header: string,
): ReadRow => {
  const { idColumn, outcome, fields } = portfolio;
  const part = portfolio.parts[partName]!;
  const columns = columnsOf(file, header, portfolio);
  const schemas = { event: schemaOf(pipeline, pipeline.scores), outcome: schemaOf(pipeline, outcome.stream) };
  const [scored, labels] = [pipeline.events[pipeline.scores]!, pipeline.events[outcome.stream]!];
  const lineage = { source: `${portfolio.name}:${partName}`, producer: PRODUCER };
  const truths = new Map([[outcome.whenTrue, true], [outcome.whenFalse, false]]);
  const typed = (schema: AvroRecord, json: object): Readonly<Record<string, unknown>> | Refused => {
    const value = toValue(schema, json);
    if (!(value instanceof Bad)) return value as Readonly<Record<string, unknown>>;
    const column = value.field === undefined ? undefined : fields[value.field];
    return new Refused('bad-value', column === undefined ? value.message : `column ${column}: ${value.message}`);
  };
  return (line, rowNumber) => {
    const cells = cellsOf(line);
    if (cells instanceof Refused) return cells;
    if (cells.length !== columns.count)
      return new Refused('column-count', `the line has ${cells.length} columns, and the header ${columns.count}; give each its own`);
    const cell = (column: string): string => cells[columns.at.get(column)!]!;
    const number = idColumn === undefined ? String(rowNumber) : tidied(cell(idColumn));
    if (!/^\d{1,15}$/.test(number)) return new Refused('bad-value', `column ${idColumn} is no whole number; it names the entity`);
    const own = fieldsOf(schemas.event, portfolio, cell);
    if (own instanceof Refused) return own;
    const entity = `${part.prefix}-${Number(number)}`;
    const common = { eventId: `${entity}-${part.recordedAt.slice(0, 10)}`, [pipeline.entity]: entity, lineage };
    const event = typed(schemas.event, { ...common, [scored.time]: part.recordedAt, ...own });
    if (event instanceof Refused) return event;
    const said = tidied(cell(outcome.column));
    const truth = truths.get(said);
    if (said !== '' && truth === undefined)
      return new Refused('bad-value', `column ${outcome.column} says neither ${[...truths.keys()].join(' nor ')}; leave it empty where nothing is known yet`);
    const scoredEvent = { stream: pipeline.scores, value: event };
    if (truth === undefined) return { event: scoredEvent, outcome: undefined };
    const label = typed(schemas.outcome, { ...common, [labels.time]: part.recordedAt, [labels.knownAt!]: part.knownAt, [outcome.field]: truth });
    return label instanceof Refused ? label : { event: scoredEvent, outcome: { stream: outcome.stream, value: label } };
  };
}; // prettier-ignore
