/**
 * The database's shape, as steps that are applied once each, in order, under an advisory lock. A step that has been
 * released is never edited: a change is a new step.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'predictions, offsets, and the view for analysts',
    sql: `
      CREATE TABLE millrace.predictions (
        prediction_id text PRIMARY KEY,
        pipeline text NOT NULL,
        event_id text NOT NULL,
        revision integer NOT NULL,
        sequence bigint NOT NULL,
        entity text NOT NULL,
        event_time timestamptz NOT NULL,
        append_time timestamptz NOT NULL,
        scored_at timestamptz NOT NULL,
        role text NOT NULL,
        decision text NOT NULL,
        outputs jsonb NOT NULL,
        kpis jsonb NOT NULL,
        features jsonb NOT NULL,
        model text NOT NULL,
        model_version text NOT NULL,
        model_digest text NOT NULL,
        feature_set integer NOT NULL,
        feature_set_hash text NOT NULL,
        control_revision bigint NOT NULL,
        route text NOT NULL,
        route_version integer NOT NULL,
        arm text NOT NULL,
        fallback text,
        late boolean NOT NULL,
        stale boolean NOT NULL,
        source_topic text NOT NULL,
        source_partition integer NOT NULL,
        source_offset bigint NOT NULL,
        vector_offset bigint NOT NULL,
        input_hash text NOT NULL,
        batch_id text NOT NULL,
        run_id text NOT NULL,
        seq integer NOT NULL,
        final boolean NOT NULL,
        supersedes text,
        traceparent text,
        topic text NOT NULL,
        topic_partition integer NOT NULL,
        topic_offset bigint NOT NULL,
        stored_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX predictions_event ON millrace.predictions (pipeline, event_id, revision DESC, seq DESC);
      CREATE INDEX predictions_entity ON millrace.predictions (pipeline, entity, event_time DESC);
      CREATE TABLE millrace.consumer_offsets (
        cluster_id text NOT NULL,
        consumer_group text NOT NULL,
        topic text NOT NULL,
        topic_id text NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer_group, topic, partition)
      );
      CREATE VIEW millrace.answers AS
        SELECT DISTINCT ON (pipeline, event_id)
          pipeline, event_id, revision, entity, event_time, decision, outputs, kpis, features,
          model, model_version, fallback, late, stale, scored_at, prediction_id,
          extract(epoch FROM scored_at - append_time) * 1000 AS scored_after_ms
        FROM millrace.predictions
        WHERE role = 'answer' AND run_id = 'live'
        ORDER BY pipeline, event_id, revision DESC, seq DESC;
      COMMENT ON VIEW millrace.answers IS 'The newest live answer to each event; start here.';
      COMMENT ON TABLE millrace.consumer_offsets IS 'How far each partition is stored; moved in the transaction that stores the rows.';
    `,
  },
  {
    version: 2,
    name: 'answers that somebody is to look at',
    sql: `
      ALTER TABLE millrace.predictions ADD COLUMN review boolean NOT NULL DEFAULT false;
      CREATE OR REPLACE VIEW millrace.answers AS
        SELECT DISTINCT ON (pipeline, event_id)
          pipeline, event_id, revision, entity, event_time, decision, outputs, kpis, features,
          model, model_version, fallback, late, stale, scored_at, prediction_id,
          extract(epoch FROM scored_at - append_time) * 1000 AS scored_after_ms, review
        FROM millrace.predictions
        WHERE role = 'answer' AND run_id = 'live'
        ORDER BY pipeline, event_id, revision DESC, seq DESC;
    `,
  },
  {
    version: 3,
    name: 'what the model ran on',
    sql: 'ALTER TABLE millrace.predictions ADD COLUMN engine text;',
  },
];
