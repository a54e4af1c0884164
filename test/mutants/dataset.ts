import type { Mutant } from './mutant.ts';

const WINDOW = 'packages/features/src/windows/window.ts';

/** What keeps training rows to what was known, taken out one by one: for `pnpm parity fraud --dataset --reds`. */
export const DATASET_MUTANTS: readonly Mutant[] = [
  {
    name: 'labels-of-any-time',
    shows: 'rows have labels that became known only after the time that was asked for',
    file: 'services/cli/src/evaluate/labels.ts',
    text: '    if (knownAt > asOfMs) continue;\n',
    instead: '',
  },
  {
    name: 'windows-an-hour-ahead',
    shows: 'windows with a delay have what is an hour younger than they may know',
    file: WINDOW,
    text: '? endOf(event.time - delayMs)',
    instead: '? endOf(event.time - delayMs + 3_600_000)',
  },
  {
    name: 'left-edge-in',
    shows: 'an event that is exactly as old as a window is long is still in it',
    file: WINDOW,
    text: '    this.after = time - delayMs - windowMs;',
    instead: '    this.after = time - delayMs - windowMs - 1;',
  },
];
