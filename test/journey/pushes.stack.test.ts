/**
 * The example of docs/PIPELINES.md as a newcomer takes it through: a reference table, clients, alerts beside their answers,
 * rules that change while the service that answers is killed, and the night that answers what they put off.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Bad, openCodec } from '@millrace/avro';
import { decoded } from '@millrace/cli';
import { catalogue, type PredictionValue, type PushValue, topicsOf } from '@millrace/contracts';
import { credit, EXAMPLES_FOLDER } from '@millrace/pipelines';
import { describeUnless } from '../jest/skip.ts';
import { noStack, uniqueName } from '../jest/stack.ts';
import { millrace } from './command.ts';
import { type Ends, endsOf, eventually, type Journey, startJourney } from './world.ts';

const TOPICS = topicsOf(credit);
const ALERTS = TOPICS.pushes['alerts']!;
const CLIENTS = 22_500;
/** Records a second, two for each client: all are sent in 11 s at the earliest, so that rules change while they come, however fast the machine is. */
const RATE = 4_000;
const LIMIT_MS = 300_000;
const TAIWAN = join(EXAMPLES_FOLDER, 'taiwan');

describeUnless(noStack)('what is pushed beside predictions', () => {
  let journey: Journey;
  let from: Readonly<Record<'predictions' | 'alerts', Ends>>;
  beforeAll(async () => {
    journey = await startJourney(['feature', 'inference'], { pipelines: [credit] });
    const { world } = journey;
    from = { predictions: await endsOf(world, TOPICS.predictions), alerts: await endsOf(world, ALERTS) };
  }, LIMIT_MS);
  afterAll(async () => {
    // Back to what the definition says, for the tests that come after this one.
    if (journey !== undefined) await routes('');
    await journey?.close();
  }, LIMIT_MS);

  const since = async <T>(topic: string, ends: Ends): Promise<readonly T[]> => {
    const { world } = journey;
    const codec = await openCodec<T>(world.registry, catalogue([credit]).find(({ name }) => name === topic)!.value!);
    const found: T[] = [];
    for await (const { value } of decoded(world.broker.read({ from: ends, until: await endsOf(world, topic) }), codec))
      if (value !== null && !(value instanceof Bad)) found.push(value);
    return found;
  };
  const ofClients = <T extends { readonly entity: string }>(all: readonly T[]): readonly T[] => all.filter(({ entity }) => entity.startsWith('taiwan-'));
  const answers = async () => ofClients(await since<PredictionValue>(TOPICS.predictions, from.predictions));
  const alerts = async () => ofClients(await since<PushValue>(ALERTS, from.alerts));
  const run = async (line: string): Promise<void> => {
    const { code, said } = await millrace(line);
    if (code !== 0) throw new Error(said);
  };
  const routes = (more: string) => run(`routes set --pipeline credit --why test --execute${more}`);

  test('every alert is there once, killed with signal 9 and by changing rules, by day and by night', async () => {
    const night = uniqueName('night');
    await run(`publish --pipeline credit --stream segments --file ${join(TAIWAN, 'segments.csv.gz')}`);
    const sending = run(`publish --pipeline credit --portfolio taiwan:train --rate ${RATE}`);
    const some = await eventually(answers, found => found.length > 500, found => `${found.length} are answered`);
    const { pid } = journey.services.list().find(({ name }) => name === 'inference')!;
    process.kill(pid, 'SIGKILL');
    await routes(` --file ${join(TAIWAN, 'quiet-day.json')}`);
    await sending;
    await eventually(
      async () => {
        const group = 'millrace.inference.credit';
        const [ends, at] = await Promise.all([endsOf(journey.world, TOPICS.features), journey.world.broker.admin.committed(group, [TOPICS.features])]);
        return ends.every(({ partition, offset }) => offset === 0 || at.some(one => one.partition === partition && one.offset >= offset));
      },
      isPassed => isPassed,
      () => 'vectors wait',
    );
    const atOnce = await answers();
    expect(atOnce.length).toBeLessThan(CLIENTS);
    await run(`batch run --pipeline credit --run ${night}`);

    const everyone = await eventually(answers, found => found.filter(({ runId }) => runId === 'live').length >= CLIENTS, found => `${found.length} are answered`);
    const live = everyone.filter(({ runId }) => runId === 'live');
    // The night takes the clients along that other tests have sent to this stack.
    const ours = new Set(live.map(({ entity }) => entity));
    const isOurs = ({ entity }: { readonly entity: string }): boolean => ours.has(entity);
    const all = everyone.filter(isOurs);
    const ofNight = all.filter(({ runId }) => runId === night);
    expect([live.length, new Set(live.map(({ eventId }) => eventId)).size, ofNight.length]).toEqual([CLIENTS, CLIENTS, CLIENTS]);
    expect(new Set(live.map(({ route }) => route))).toEqual(new Set(['large-exposure', 'usual', 'private', 'rest']));
    expect(new Set(live.map(({ routeVersion }) => routeVersion)).size).toBe(2);
    for (const { route, review } of all) expect(review).toBe(route === 'large-exposure');
    expect(some.every(({ kpis }) => ['mass', 'affluent', 'private'].includes(kpis['segment'] as string))).toBe(true);

    const found = (await alerts()).filter(isOurs);
    const { act, actPrivate, alertLoss } = credit.thresholds as Record<string, number>;
    // Counted from the predictions, and not by our expressions.
    const wanted = all.filter(({ outputs, kpis }) => outputs['score']! >= (kpis['segment'] === 'private' ? actPrivate! : act!) || (kpis['expectedLoss'] as number) >= alertLoss!);
    const idsOf = (of: readonly { readonly predictionId: string }[]) => of.map(({ predictionId }) => predictionId).toSorted();
    expect(wanted.length).toBeGreaterThan(1_000);
    expect(idsOf(found)).toEqual(idsOf(wanted));
    const by = new Map(all.map(one => [one.predictionId, one]));
    for (const alert of found) {
      const { kpis, outputs, eventId, runId } = by.get(alert.predictionId)!;
      expect([alert.eventId, alert.runId, alert.unknown]).toEqual([eventId, runId, []]);
      expect(alert.values).toMatchObject({ ...kpis, score: outputs['score'] });
    }
    // What the services said while it was done.
    expect(journey.said).toEqual(['inference ended (137); starting it again']);
  }, LIMIT_MS);
}); // prettier-ignore
