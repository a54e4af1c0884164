/** The first dashboard: is every input answered, how fast, and what is in the way. Written as code, kept as JSON. */
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { NIGHTS } from './nights.ts';

export interface PanelText {
  readonly title: string;
  readonly description: string;
  /** Grafana's name of the unit: `s`, `reqps`, `short`. */
  readonly unit: string;
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
}
export interface RowText {
  readonly title: string;
  readonly panels: readonly PanelText[];
}

const RATE = '$__rate_interval';
const quantile = (q: number, metric: string, by: string, filter = ''): string =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(${metric}_bucket{${filter}}[${RATE}])))`;

/** Every panel, as data: the tests run each query against a real Prometheus. */
export const ROWS: readonly RowText[] = [
  {
    title: 'Answers',
    panels: [
      {
        title: 'Records in and out',
        description: 'Records read and written per second, by topic.',
        unit: 'short',
        queries: [
          { expr: `sum by (topic) (rate(millrace_records_in_total[${RATE}]))`, legend: 'in {{topic}}' },
          { expr: `sum by (topic) (rate(millrace_records_out_total[${RATE}]))`, legend: 'out {{topic}}' },
        ],
      },
      {
        title: 'Decisions',
        description: 'Predictions per second by decision.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (decision) (rate(millrace_predictions_total{pipeline=~"$pipeline"}[${RATE}]))`,
            legend: '{{decision}}',
          },
        ],
      },
      {
        title: 'Not scored',
        description:
          'Records skipped, rejected to a dead letter topic, or answered by a fallback, per second.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (reason) (rate(millrace_records_skipped_total[${RATE}])) or vector(0)`,
            legend: 'skipped: {{reason}}',
          },
          {
            expr: `sum by (topic, reason) (rate(millrace_records_rejected_total[${RATE}])) or vector(0)`,
            legend: 'dead letter: {{topic}} {{reason}}',
          },
          {
            expr: `sum by (reason) (rate(millrace_records_fallback_total{pipeline=~"$pipeline"}[${RATE}])) or vector(0)`,
            legend: 'fallback: {{reason}}',
          },
        ],
      },
      {
        title: 'Ingest',
        description: 'Events over HTTP per second, by outcome.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (stream, outcome) (rate(millrace_ingest_events_total{pipeline=~"$pipeline"}[${RATE}]))`,
            legend: '{{stream}} {{outcome}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Time',
    panels: [
      {
        title: 'End to end',
        description: 'From the append of an event to the step named: scored, stored.',
        unit: 's',
        queries: [0.5, 0.95, 0.99].map(q => ({
          expr: quantile(q, 'millrace_end_to_end_seconds', ', step', 'pipeline=~"$pipeline"'),
          legend: `p${q * 100} {{step}}`,
        })),
      },
      {
        title: 'Waiting and computing',
        description: 'Time of a row before its engine call, apart from the time of the call: p99.',
        unit: 's',
        queries: [
          {
            expr: quantile(0.99, 'millrace_model_queue_seconds', ', model', 'pipeline=~"$pipeline"'),
            legend: 'waiting {{model}}',
          },
          {
            expr: quantile(0.99, 'millrace_model_compute_seconds', ', model', 'pipeline=~"$pipeline"'),
            legend: 'computing {{model}}',
          },
        ],
      },
      {
        title: 'Commits',
        description: 'Time of one commit of offsets with their outputs, p99, by consumer group.',
        unit: 's',
        queries: [{ expr: quantile(0.99, 'millrace_commit_seconds', ', group'), legend: '{{group}}' }],
      },
      {
        title: 'Rows of an engine call',
        description: 'Median size of a micro-batch.',
        unit: 'short',
        queries: [
          {
            expr: quantile(0.5, 'millrace_model_batch_rows', ', model', 'pipeline=~"$pipeline"'),
            legend: '{{model}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Features',
    panels: [
      {
        title: 'Age of views',
        description:
          'By event time: how far the other streams of a view were behind the event; how long its entity had not been heard of. p99.',
        unit: 's',
        queries: [
          {
            expr: quantile(0.99, 'millrace_view_age_seconds', ', view', 'pipeline=~"$pipeline"'),
            legend: 'behind {{view}}',
          },
          {
            expr: `${quantile(0.99, 'millrace_entity_age_seconds', ', view', 'pipeline=~"$pipeline"')} or vector(0)`,
            legend: 'entity {{view}}',
          },
        ],
      },
      {
        title: 'Stale vectors',
        description: 'Vectors per second that rested on a view older than its bound, by what became of them.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (view, policy) (rate(millrace_records_stale_total{pipeline=~"$pipeline"}[${RATE}])) or vector(0)`,
            legend: '{{view}}: {{policy}}',
          },
        ],
      },
      {
        title: 'Served against recomputed',
        description: 'Values that differed when features were last verified, by feature.',
        unit: 'short',
        queries: [
          {
            expr: 'sum by (feature, kind) (millrace_skew_values{pipeline=~"$pipeline"}) or vector(0)',
            legend: '{{feature}}: {{kind}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Pressure',
    panels: [
      {
        title: 'Lag',
        description:
          'Records between what is done and the end, by topic, also of partitions that are paused.',
        unit: 'short',
        queries: [{ expr: 'sum by (topic) (millrace_consumer_lag_records)', legend: '{{topic}}' }],
      },
      {
        title: 'Away',
        description: 'What does not answer: 1 while its work waits.',
        unit: 'short',
        queries: [
          { expr: 'max by (job, dependency) (millrace_dependency_away)', legend: '{{job}}: {{dependency}}' },
        ],
      },
      {
        title: 'Bytes held, and time paused',
        description: 'Bytes read and not yet committed; the share of the time that a topic was paused.',
        unit: 'short',
        queries: [
          { expr: 'sum by (topic) (millrace_lane_bytes)', legend: 'bytes {{topic}}' },
          {
            expr: `max by (topic) (rate(millrace_paused_seconds_total[${RATE}])) or vector(0)`,
            legend: 'paused {{topic}}',
          },
        ],
      },
      {
        title: 'Open rows and paused partitions',
        description: 'Rows read and not closed; partitions that wait for them.',
        unit: 'short',
        queries: [
          { expr: 'sum by (topic) (millrace_lane_rows)', legend: 'open {{topic}}' },
          { expr: 'sum by (topic) (millrace_partition_paused) or vector(0)', legend: 'paused {{topic}}' },
        ],
      },
      {
        title: 'Retries and rebalances',
        description: 'Attempts repeated after a bad world, and assignments received, per second.',
        unit: 'short',
        queries: [
          {
            expr: `sum by (what) (rate(millrace_retries_total[${RATE}])) or vector(0)`,
            legend: 'retry {{what}}',
          },
          {
            expr: `sum by (group) (rate(millrace_rebalances_total[${RATE}]))`,
            legend: 'rebalance {{group}}',
          },
        ],
      },
      {
        title: 'Processes',
        description: 'Event loop delay (p99 of the last interval) by service.',
        unit: 's',
        queries: [{ expr: 'max by (job) (millrace_event_loop_delay_seconds)', legend: '{{job}}' }],
      },
    ],
  },
  NIGHTS,
];

/** The figures at the top of the page. */
export const FIGURES: readonly PanelText[] = [
  { title: 'Scored per second', description: 'Predictions of all decisions.', unit: 'short', queries: [{ expr: `sum(rate(millrace_predictions_total{pipeline=~"$pipeline"}[${RATE}]))`, legend: '' }] },
  { title: 'p99 to the score', description: 'From append to scored.', unit: 's', queries: [{ expr: quantile(0.99, 'millrace_end_to_end_seconds', '', 'pipeline=~"$pipeline", step="scored"'), legend: '' }] },
  { title: 'Dead letters', description: 'Rejected in the last hour.', unit: 'short', queries: [{ expr: 'sum(increase(millrace_records_rejected_total[1h])) or vector(0)', legend: '' }] },
  { title: 'Lag', description: 'Records behind, all topics.', unit: 'short', queries: [{ expr: 'sum(millrace_consumer_lag_records)', legend: '' }] },
]; // prettier-ignore

const target = ({ expr, legend }: PanelText['queries'][number]): DataqueryBuilder =>
  new DataqueryBuilder().expr(expr).legendFormat(legend);

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

export const pipelineDashboard = (): Dashboard => {
  const builder = new DashboardBuilder('Millrace: pipeline')
    .uid('millrace-pipeline')
    .tags(['millrace', 'generated'])
    .refresh('10s')
    .time({ from: 'now-30m', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('pipeline')
        .label('Pipeline')
        .datasource(DATASOURCE)
        .query('label_values(millrace_predictions_total, pipeline)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true),
    );
  for (const figure of FIGURES)
    builder.withPanel(
      new StatBuilder()
        .title(figure.title)
        .description(figure.description)
        .unit(figure.unit)
        .datasource(DATASOURCE)
        .span(6)
        .height(4)
        .withTarget(target(figure.queries[0]!)),
    );
  for (const row of ROWS) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) {
      const drawn = new PanelBuilder()
        .title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .datasource(DATASOURCE)
        .span(12)
        .height(8)
        .min(0);
      for (const query of panel.queries) drawn.withTarget(target(query));
      builder.withPanel(drawn);
    }
  }
  return builder.build();
};
