import type { Schedule } from './schedule.ts';

const refused = (name: string) => (): never => {
  throw new Error(`${name} was called in a simulation: clocks and randomness are handed in`);
};

let running: Schedule | undefined;

/**
 * Takes this thread's timers, clock and randomness away: `setImmediate` becomes a step of the schedule, all else is an
 * error. For threads that do nothing but simulate.
 */
export function takeGlobals(): void {
  const later = (go: () => void): void => {
    if (running === undefined) throw new Error('setImmediate was called outside a simulation');
    running.add({ host: running.current, what: 'immediate', go });
  };
  Object.assign(globalThis, {
    setImmediate: later,
    setTimeout: refused('setTimeout'),
    setInterval: refused('setInterval'),
  });
  Math.random = refused('Math.random');
  Date.now = refused('Date.now');
}

export function runOn(schedule: Schedule | undefined): void {
  running = schedule;
}
