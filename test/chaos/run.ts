/** One scenario from its start to its verdict. */
import { seededRandom } from './seeded.ts';
import type { Delivery } from './judge/judge.ts';
import { comeToRest, type Verdict, verdictOf } from './judge/verdict.ts';
import { type Rig, startRig } from './rig/rig.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { Scene } from './scene.ts';

export interface Outcome {
  readonly scenario: Scenario;
  readonly brokers: 1 | 3;
  readonly delivery: Delivery;
  readonly seconds: number;
  readonly faults: number;
  readonly verdict: Verdict;
  /** The most that one process of a service took, bytes. */
  readonly memory: Readonly<Record<string, number>>;
  /** Processes that ended by themselves, with their exit codes. */
  readonly ownEnds: readonly string[];
  /** Why it is red; empty when it is not. */
  readonly problems: readonly string[];
}

export interface RunOptions {
  readonly brokers: 1 | 3;
  readonly seed: number;
  readonly rate: number;
  readonly delivery: Delivery;
  readonly mutants: readonly string[];
  /** Faults last about so long; decides how many customers there are. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const SERVICES = { feature: 2, inference: 2, sink: 1 } as const;
const WARM_ANSWERS = 200;
const WARM_S_MAX = 120;
const TAIL_SECONDS = 8;
/** A run that has not come to rest by then has lost something. */
const REST_MS_MAX = 240_000;
const TELL_MS = 60_000;
const MEMORY_BYTES_MAX = 700 << 20;

const problemsOf = (verdict: Verdict, scene: Scene, memory: ReadonlyMap<string, number>): string[] => {
  const { lost, doubled, reordered, strange, wrong, state, rows, hanging, open, seenOtherwise } = verdict;
  const counts = {
    lost, doubled, reordered, strange,
    'wrong counts': wrong, 'chunks of state that differ': state.different,
    'predictions without a row': rows.missing, 'wrong rows': rows.wrong,
    'hanging transactions': hanging.length, 'partitions with an open end': open.length,
    'records that the reader beside saw otherwise': seenOtherwise,
  }; // prettier-ignore
  const fat = [...memory].filter(([, bytes]) => bytes > MEMORY_BYTES_MAX);
  return [
    ...Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : [])),
    ...fat.map(([service, bytes]) => `${service} took ${Math.round(bytes / (1 << 20))} MiB`),
    ...scene.complaints,
  ];
};

const soFar = ({ feed, follower, fleet }: Rig): string =>
  `${feed.ledger.entries.length} records, ${feed.ledger.outstanding} of them not acknowledged, ` +
  `${follower.predictions} predictions, ${follower.letters} letters, ${fleet.ownEnds.length} ends of their own`;

export const runScenario = async (scenario: Scenario, options: RunOptions): Promise<Outcome> => {
  const { brokers, seed, delivery, signal, say, seconds } = options;
  const rate = scenario.rig?.rate ?? options.rate;
  const startedMs = Date.now();
  const rig = await startRig({
    brokers, seed, signal, say, rate,
    services: scenario.rig?.services ?? SERVICES,
    records: scenario.rig?.records ?? rate * (seconds + 30),
    mutants: [...(scenario.rig?.mutants ?? []), ...options.mutants, ...deliveryMutants(delivery)],
    ...(scenario.rig?.environment === undefined ? {} : { environment: scenario.rig.environment }),
    ...(scenario.rig?.brokerSettings === undefined ? {} : { brokerSettings: scenario.rig.brokerSettings }),
  }); // prettier-ignore
  const telling = setInterval(() => say(`  so far: ${soFar(rig)}`), TELL_MS);
  try {
    const feeding = new AbortController();
    const fed = rig.feed.run(feeding.signal);
    const scene = new Scene(rig, seededRandom(seed));
    const failure = Promise.race([rig.feed.failed, rig.follower.failed, fed]);
    const act = async (): Promise<void> => {
      const warm = await scene.until(() => rig.follower.scored.size >= WARM_ANSWERS, WARM_S_MAX);
      if (!warm) throw new Error(`nothing is scored within ${WARM_S_MAX} s`);
      say(`${scenario.name}: the load is scored, faults begin`);
      await scenario.run(scene);
      await scene.wait(scenario.tailSeconds ?? TAIL_SECONDS);
    };
    await Promise.race([act(), failure.then(() => Promise.reject(new Error('the load ended early')))]);
    feeding.abort();
    await fed;
    say(`${scenario.name}: waiting for ${rig.feed.ledger.entries.length} records to be answered`);
    await comeToRest(rig, REST_MS_MAX);
    const verdict = await verdictOf(rig, delivery, scene.faults);
    return {
      scenario, brokers, delivery, verdict,
      seconds: (Date.now() - startedMs) / 1000,
      faults: scene.faults.length,
      memory: Object.fromEntries(rig.memory.most),
      ownEnds: rig.fleet.ownEnds.map(({ name, code }) => `${name} (${code})`),
      problems: problemsOf(verdict, scene, rig.memory.most),
    }; // prettier-ignore
  } finally {
    clearInterval(telling);
    await rig.close();
  }
};

/** How the pipeline that ships answers is a line of its definition: the other way is that line changed. */
const deliveryMutants = (delivery: Delivery): readonly string[] =>
  delivery === 'exactly_once' ? [] : ['inference-at-least-once'];
