/** Bytes a second on the topics of a pipeline. Pure. */
import type { Measured } from './coefficients.ts';
import type { Shape, Wish } from './wish.ts';

/** NaN: not measured. */
export interface Topic {
  readonly what: string;
  /** At the peak, once for each copy that brokers keep. */
  readonly inBytesPerS: number;
  /** What readers of Millrace fetch, without copies between brokers. */
  readonly outBytesPerS: number;
}

const BYTES_PER_FEATURE = 4;

export const topicsFor = (wish: Wish, shape: Shape, measured: Measured): readonly Topic[] => {
  const has = (service: (typeof wish.services)[number]): boolean => wish.services.includes(service);
  const { peak, labelsPerEvent, replication } = wish;
  const records = peak * (1 + labelsPerEvent);
  const vectorBytes = (name: 'bytes.vector' | 'bytes.prediction'): number =>
    measured(name) + shape.features * BYTES_PER_FEATURE;
  const topic = (what: string, rate: number, bytes: number, readers: number): Topic => ({
    what,
    inBytesPerS: rate * bytes * replication,
    outBytesPerS: rate * bytes * readers,
  });
  return [
    ...(has('feature')
      ? [
          topic('events', peak, measured('bytes.event'), 1),
          ...(labelsPerEvent > 0 ? [topic('labels', peak * labelsPerEvent, measured('bytes.label'), 1)] : []),
          ...(shape.hopsBetween > 0
            ? [
                topic('between stages', records * (shape.hopsBetween - 1), measured('bytes.repartition'), 1),
                topic('released', records, measured('bytes.release'), 1),
              ]
            : []),
          topic('changelog', records * shape.keys, measured('bytes.changelog'), 0),
        ]
      : []),
    topic('vectors', peak, vectorBytes('bytes.vector'), has('inference') ? 1 : 0),
    ...(has('inference') || has('sink')
      ? [topic('predictions', peak, vectorBytes('bytes.prediction'), has('sink') ? 1 : 0)]
      : []),
  ];
};
