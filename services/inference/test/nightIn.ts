import { noMetrics, systemClock, systemRandom } from '@millrace/telemetry';
import { type NightOptions, type NightResult, runNight } from '../src/index.ts';
import { fakeScorer, type World } from './harness.ts';

/** A night over the world's pipeline, by a client of its own. */
export const nightIn = (world: World, changes: Partial<NightOptions> = {}): Promise<NightResult> =>
  runNight({
    pipeline: world.ground.pipeline,
    yieldsTo: [],
    broker: world.ground.connect(),
    registry: world.ground.registry,
    models: world.models,
    makeScorer: fakeScorer,
    run: 'n1',
    asOfMs: undefined,
    by: 'test',
    lagMax: 1_000,
    waitMsTotalMax: 60_000,
    clock: systemClock,
    random: systemRandom,
    metrics: noMetrics,
    tell: () => undefined,
    progressed: () => undefined,
    signal: new AbortController().signal,
    ...changes,
  });
