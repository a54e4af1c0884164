/** The rows that the sink stored, against the predictions: each once, and the same. */
import postgres from 'postgres';
import type { PredictionLine } from '../rig/follower.ts';

export interface RowsJudgement {
  readonly rows: number;
  /** Predictions without a row. */
  readonly missing: number;
  /** Rows without a prediction, more than one of an event, or read from another place than any prediction of that id. */
  readonly wrong: number;
}

interface Row {
  readonly prediction_id: string;
  readonly event_id: string;
  readonly topic_partition: number;
  readonly topic_offset: string;
}

const ATTEMPTS_MAX = 60;
const AGAIN_MS = 1_000;

const placeOf = ({ partition, offset }: { partition: number; offset: number }): string =>
  `${partition}/${offset}`;

export const judgeRows = (rows: readonly Row[], predictions: readonly PredictionLine[]): RowsJudgement => {
  const places = Map.groupBy(predictions, ({ predictionId }) => predictionId);
  const seen = new Set<string>();
  let wrong = 0;
  for (const row of rows) {
    const place = placeOf({ partition: row.topic_partition, offset: Number(row.topic_offset) });
    const of = places.get(row.prediction_id);
    if (seen.has(row.event_id) || of === undefined || !of.some(one => placeOf(one) === place)) wrong++;
    seen.add(row.event_id);
  }
  const stored = new Set(rows.map(row => row.prediction_id));
  return { rows: rows.length, missing: [...places.keys()].filter(id => !stored.has(id)).length, wrong };
};

/** Asks until every prediction has a row, or for a minute: the sink may be behind. */
export const readRows = async (
  url: string,
  predictions: readonly PredictionLine[],
): Promise<RowsJudgement> => {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    for (let attempt = 1; ; attempt++) {
      const rows = await sql<Row[]>`
        SELECT prediction_id, event_id, topic_partition, topic_offset::text FROM millrace.predictions`;
      const found = judgeRows(rows, predictions);
      if (found.missing === 0 || attempt === ATTEMPTS_MAX) return found;
      await new Promise(resolve => setTimeout(resolve, AGAIN_MS));
    }
  } finally {
    await sql.end();
  }
};
