import type { RecordCodec } from '@millrace/avro';
import type { FeaturesValue } from '@millrace/contracts';
import type { AnswerName, Environment, Pipeline } from '@millrace/define';
import type { Vectors } from './vectors.ts';

/** One vector while something is worked out for it. */
export interface InHand {
  vectors: Vectors;
  row: number;
  /** In the order of the pipeline's thresholds. */
  thresholds: readonly number[];
  /** In the order of the pipeline's outputs; empty before it is scored. */
  outputs: readonly number[];
  /** In the order of the pipeline's business figures; empty before they are worked out. Undefined is missing. */
  kpis: readonly (number | string | undefined)[];
  /** What the answer says of itself; undefined before there is one, and where nobody asks. */
  answer: Readonly<Record<AnswerName, string | boolean | null>> | undefined;
}

/** Those in force, as a row has them in hand. */
export const thresholdsOf = (
  pipeline: Pipeline,
  inForce: Readonly<Record<string, number>>,
): readonly number[] => Object.keys(pipeline.thresholds).map(name => inForce[name]!);

/** Where the names in a pipeline's expressions lead: into the bytes of the vector, the outputs and the thresholds in force. */
export const environmentOf = (
  pipeline: Pipeline,
  rows: RecordCodec<FeaturesValue>['rows'],
): Environment<InHand> => {
  const read = (path: string) => {
    const field = rows.field(path);
    return ({ vectors, row }: InHand) => vectors.read(field, row);
  };
  return {
    timeZone: pipeline.timeZone,
    output: name => {
      const at = pipeline.model.outputs.indexOf(name);
      return at === -1 ? undefined : ({ outputs }) => outputs[at];
    },
    kpi: name => {
      const at = Object.keys(pipeline.kpis).indexOf(name);
      return at === -1 ? undefined : ({ kpis }) => kpis[at];
    },
    answer:
      name =>
      ({ answer }) =>
        answer?.[name],
    threshold: name => {
      const at = Object.keys(pipeline.thresholds).indexOf(name);
      return at === -1 ? undefined : ({ thresholds }) => thresholds[at];
    },
    feature: name => read(Object.hasOwn(pipeline.reference, name) ? `event.${name}` : `features.${name}`),
    field: name => read(name === pipeline.events[pipeline.scores]!.time ? 'eventTime' : `event.${name}`),
  };
};
