/** What a night does when the stream falls behind: many vectors at once, and the night has to stand still. */
import { topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { fill } from '../load/publish.ts';
import { committedOf, untilAnswered } from '../watch.ts';
import { sumOf } from '../world/offsets.ts';
import { startNight } from './process.ts';
import type { Setting } from './bench.ts';

export interface Yielded {
  /** Vectors of the stream that came at once. */
  readonly burst: number;
  /** Until they were answered. */
  readonly seconds: number;
  /** What the night said of it. */
  readonly said: readonly string[];
  /** How long it stood still in all, by its manifest. */
  readonly waitedMs: number;
  readonly entities: number;
  readonly scored: number;
  /** It stood still and said so, went on, and scored each client. */
  readonly isRight: boolean;
}

/** So many at once that no machine answers them before the night looks again. */
const BURST = 150_000;

export const yields = async ({ world, service, child, load, options }: Setting, first: number, run: string): Promise<Yielded> => {
  const { broker } = world;
  const night = await startNight(world, run);
  try {
    const inFrom = await broker.admin.endOffsets(topicsOf(fraud).features);
    const answered = async (): Promise<number> => (await committedOf(world, service)) - sumOf(inFrom);
    const startMs = performance.now();
    await fill(broker, load, first, first + BURST);
    await untilAnswered(world, child, { answered, expected: BURST });
    const seconds = Number(((performance.now() - startMs) / 1000).toFixed(1));
    const code = await night.ended;
    const said = night.said();
    const { waitedMs, entities, scored } = JSON.parse(said.findLast(line => line.startsWith('{')) ?? '{}') as Yielded;
    const ofLag = said.map(line => line.trim()).filter(line => line.startsWith('the stream is '));
    const isRight =
      code === 0 && scored === entities && entities === options.clients && waitedMs > 0 &&
      ofLag.some(line => line.endsWith('the night waits')) && ofLag.some(line => line.endsWith('the night goes on'));
    return { burst: BURST, seconds, said: ofLag, waitedMs, entities, scored, isRight };
  } finally {
    await night.stop();
  }
}; // prettier-ignore
