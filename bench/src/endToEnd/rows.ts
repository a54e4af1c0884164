/** What the sink has stored, asked of PostgreSQL. */
import postgres from 'postgres';

/** An answer as its row has it, with where its event, its vector and its prediction stood. */
export interface StoredAnswer {
  readonly eventId: string;
  readonly score: number;
  /** JSON has no NaN: missing is null. */
  readonly features: Readonly<Record<string, number | null>>;
  readonly sourcePartition: number;
  readonly sourceOffset: number;
  readonly vectorOffset: number;
  /** Of its vector, too. */
  readonly partition: number;
  readonly offset: number;
}

export interface Rows {
  /** By partition of a topic: the offset that a group stores next. Empty before it has begun. */
  nextOffsets(group: string, topic: string): Promise<ReadonlyMap<number, number>>;
  /** Answers of a pipeline to the events from this sequence on. */
  answers(pipeline: string, sequence: number): AsyncIterable<readonly StoredAnswer[]>;
  close(): Promise<void>;
}

const CURSOR_ROWS = 5_000;
const UNDEFINED_TABLE = '42P01';

export const openRows = (url: string): Rows => {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  return {
    nextOffsets: async (group, topic) => {
      try {
        const rows = await sql<{ partition: number; next: string }[]>`
          SELECT partition, next_offset::text AS next FROM millrace.consumer_offsets
          WHERE consumer_group = ${group} AND topic = ${topic}`;
        return new Map(rows.map(({ partition, next }) => [partition, Number(next)]));
      } catch (error) {
        // The sink makes its tables when it starts.
        if ((error as { readonly code?: string }).code === UNDEFINED_TABLE) return new Map();
        throw error;
      }
    },
    answers: (pipeline, sequence) =>
      sql<StoredAnswer[]>`
        SELECT event_id AS "eventId", (outputs->>'score')::float8 AS score, features,
          source_partition AS "sourcePartition", source_offset::float8 AS "sourceOffset",
          vector_offset::float8 AS "vectorOffset", topic_partition AS partition, topic_offset::float8 AS "offset"
        FROM millrace.predictions WHERE pipeline = ${pipeline} AND sequence >= ${sequence}`.cursor(
        CURSOR_ROWS,
      ),
    close: () => sql.end(),
  };
};
