import type { RecordCodec } from '@millrace/avro';
import type { FeaturesValue } from '@millrace/contracts';
import type { AnswerName, Environment, Pipeline } from '@millrace/define';
import type { Vectors } from './vectors.ts';

/** One vector while something is worked out for it. */
export interface InHand {
  vectors: Vectors;
  row: number;
  thresholds: Readonly<Record<string, number>>;
  /** In the order of the pipeline's outputs; empty before it is scored. */
  outputs: readonly number[];
  /** In the order of the pipeline's business figures; empty before they are worked out. Undefined is missing. */
  kpis: readonly (number | string | undefined)[];
  /** What the answer says of itself; undefined before there is one, and where nobody asks. */
  answer: Readonly<Record<AnswerName, string | boolean | null>> | undefined;
}

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
    threshold: name =>
      Object.hasOwn(pipeline.thresholds, name) ? ({ thresholds }) => thresholds[name] : undefined,
    feature: name => read(Object.hasOwn(pipeline.reference, name) ? `event.${name}` : `features.${name}`),
    field: name => read(name === pipeline.events[pipeline.scores]!.time ? 'eventTime' : `event.${name}`),
  };
};
