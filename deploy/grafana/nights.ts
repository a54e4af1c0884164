/** What is shown of nights that run by themselves. */
import type { RowText } from './pipeline.ts';

/** Of every pipeline with a schedule: what is scored at night need not be scored live. */
export const NIGHTS: RowText = {
  title: 'Nights',
  panels: [
    {
      title: 'Until the next night',
      description: 'Time until a scheduled night is due; at zero it is due and has not begun.',
      unit: 's',
      queries: [
        {
          expr: 'max by (pipeline) (millrace_night_next_timestamp_seconds) - time() or vector(0)',
          legend: '{{pipeline}}',
        },
      ],
    },
    {
      title: 'Duration of a night',
      description: 'Of the last scheduled night, or of the one at work, and how long it may take.',
      unit: 's',
      queries: [
        {
          expr: 'max by (pipeline) (millrace_night_duration_seconds) or vector(0)',
          legend: '{{pipeline}}',
        },
        {
          expr: 'max by (pipeline) (millrace_night_duration_limit_seconds) or vector(0)',
          legend: 'limit {{pipeline}}',
        },
      ],
    },
    {
      title: 'Nights by outcome',
      description: 'Of the newest 1,000: done, missed, failed; late and overlong count beside these.',
      unit: 'short',
      queries: [
        {
          expr: 'max by (pipeline, outcome) (millrace_night_slots) or vector(0)',
          legend: '{{pipeline}} {{outcome}}',
        },
      ],
    },
    {
      title: 'Delay of a night',
      description: 'How long after its time the last scheduled night began.',
      unit: 's',
      queries: [
        {
          expr: 'max by (pipeline) (millrace_night_start_delay_seconds) or vector(0)',
          legend: '{{pipeline}}',
        },
      ],
    },
  ],
};
