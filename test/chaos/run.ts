/** One scenario from its start to its verdict. */
import { seededRandom } from '@millrace/pipelines';
import type { Delivery } from './judge/judge.ts';
import { comeToRest, type Verdict, verdictOf } from './judge/verdict.ts';
import { type Rig, startRig } from './rig/rig.ts';
import { type Run, wantsRed } from './plan.ts';
import { Scene } from './scene.ts';

export interface Outcome {
  readonly run: Run;
  readonly seconds: number;
  readonly faults: number;
  readonly verdict: Verdict;
  /** The most that one process of a service took, bytes. */
  readonly memory: Readonly<Record<string, number>>;
  /** What it was about then. */
  readonly heaps: Readonly<Record<string, string>>;
  /** Processes that ended by themselves, with their exit codes. */
  readonly ownEnds: readonly string[];
  /** Why it is red; empty when it is not. */
  readonly problems: readonly string[];
}

/** A run that did not take place, which is neither good nor red. */
export interface Skipped {
  readonly run: Run;
  readonly reason: string;
}

export interface RunOptions {
  readonly seed: number;
  readonly rate: number;
  /** Folder for the logs of this run. */
  readonly logs: string | undefined;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const SERVICES = { feature: 2, inference: 2, sink: 1 } as const;
const WARM_ANSWERS = 200;
const WARM_S_MAX = 120;
const TAIL_SECONDS = 8;
/** A run that has not come to rest by then has lost something. */
const REST_MS_MAX = 240_000;
/** Of a run that is meant to be red. */
const RED_REST_MS_MAX = 60_000;
const TELL_MS = 60_000;
const MEMORY_MIB_MAX = 700;

const problemsOf = (
  verdict: Verdict,
  scene: Scene,
  { scenario: { memoryMiBMax = {}, mayEnd = false, repeats }, delivery }: Run,
): string[] => {
  const { fleet, memory } = scene.rig;
  const { lost, doubled, reordered, strange, wrong, state, rows, hanging, open, seenOtherwise } = verdict;
  const counts = {
    lost, doubled, reordered, strange,
    'wrong counts': wrong, 'chunks of state that differ': state.different,
    'predictions without a row': rows.missing, 'wrong rows': rows.wrong,
    'hanging transactions': hanging.length, 'partitions with an open end': open.length,
    'records that the reader beside saw otherwise': seenOtherwise,
    'processes that ended by themselves': mayEnd ? 0 : fleet.ownEnds.length,
    'times that a partition was not answered again after a fault': verdict.recovery.never,
  }; // prettier-ignore
  const fat = [...memory.most].filter(
    ([service, bytes]) => bytes > (memoryMiBMax[service] ?? MEMORY_MIB_MAX) * 2 ** 20,
  );
  return [
    ...Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : [])),
    ...fat.map(
      ([service, bytes]) =>
        `${service} took ${Math.round(bytes / (1 << 20))} MiB (${memory.about.get(service)})`,
    ),
    ...(repeats === true && delivery === 'at_least_once' && verdict.repeats === 0
      ? ['no answer came again']
      : []),
    ...scene.complaints,
  ];
};

const soFar = ({ feed, follower, fleet }: Rig): string =>
  `${feed.ledger.entries.length} records, ${feed.ledger.outstanding} of them not acknowledged, ` +
  `${follower.predictions} predictions, ${follower.letters} letters, ${fleet.ownEnds.length} ends of their own`;

export const runScenario = async (run: Run, options: RunOptions): Promise<Outcome> => {
  const { scenario, brokers, delivery, without } = run;
  const { seed, signal, say, logs } = options;
  const { mutants = [], ...asked } = scenario.rig ?? {};
  const rate = asked.rate ?? options.rate;
  const startedMs = Date.now();
  const rig = await startRig({
    brokers, seed, signal, say, logs,
    services: SERVICES,
    records: rate * (run.seconds + 30),
    ...asked,
    rate,
    mutants: [...mutants, ...(without?.mutants ?? []), ...deliveryMutants(delivery)],
  }); // prettier-ignore
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  interrupted.catch(() => undefined); // Whoever waits meanwhile hears of it.
  const telling = setInterval(() => say(`  so far: ${soFar(rig)}`), TELL_MS);
  try {
    const feeding = new AbortController();
    const fed = rig.feed.run(feeding.signal);
    const random = seededRandom(seed);
    const scene = new Scene(rig, () => random.next());
    const failure = Promise.race([rig.feed.failed, rig.follower.failed, fed]);
    const act = async (): Promise<void> => {
      const warm = await scene.until(() => rig.follower.scored.size >= WARM_ANSWERS, WARM_S_MAX);
      if (!warm) throw new Error(`nothing is scored within ${WARM_S_MAX} s`);
      say(`${scenario.name}: the load is scored, faults begin`);
      await scenario.run(scene);
      await scene.wait(scenario.tailSeconds ?? TAIL_SECONDS);
    };
    const failed = failure.then(() => Promise.reject(new Error('the load ended early')));
    await Promise.race([act(), failed, interrupted]);
    feeding.abort();
    await fed;
    say(`${scenario.name}: waiting for ${rig.feed.ledger.entries.length} records to be answered`);
    await comeToRest(rig, scene, wantsRed(run) ? RED_REST_MS_MAX : REST_MS_MAX);
    const verdict = await Promise.race([verdictOf(rig, delivery, scene, scenario.isRejected), interrupted]);
    return {
      run,
      verdict,
      seconds: (Date.now() - startedMs) / 1000,
      faults: scene.faults.length,
      memory: Object.fromEntries(rig.memory.most),
      heaps: Object.fromEntries(rig.memory.about),
      ownEnds: rig.fleet.ownEnds.map(({ name, code }) => `${name} (${code})`),
      problems: problemsOf(verdict, scene, run),
    }; // prettier-ignore
  } finally {
    clearInterval(telling);
    await rig.close();
  }
};

/** How the pipeline that ships answers is a line of its definition: the other way is that line changed. */
const deliveryMutants = (delivery: Delivery): readonly string[] =>
  delivery === 'exactly_once' ? [] : ['inference-at-least-once'];
