/** `pnpm parity`: `fraud`, features and scores of the real stack beside published ones; `night`, stream and night beside each other. Exit code 3 where they differ. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openWorld, warmUp, type World } from '@millrace/cli';
import type { Pipeline } from '@millrace/define';
import { type Stack, startStack } from '@millrace/localstack';
import { onnxScorer } from '@millrace/model';
import { pipelinesNamed, portfolioNamed } from '@millrace/pipelines';
import { type CommandIo, runCommand } from '@millrace/runtime';
import { daysOf } from './days.ts';
import { nightsLines, runNights } from './nights/run.ts';
import { differences, reportLines } from './report.ts';
import { type ParityOptions, runParity } from './run.ts';

const USAGE =
  'usage: pnpm parity fraud --raw DIR --features DIR [--from DATE] [--to DATE] [--models DIR | --no-models] [--scores DIR] [--epochs replay|live] [--speed N [--seconds N]] [--again] [--verify] [--dataset [--reds]] [--processes N] [--state-mb N] [--disturb SEED [--no-kills]] [--output table|json]\n       pnpm parity night [--portfolio NAME[:PART,…]] [--output table|json]';
const USED_WRONGLY = 2;
const DIFFERENT = 3;

type Wanted = Pick<
  ParityOptions,
  | 'days' | 'models' | 'asksModels' | 'scores' | 'epochs' | 'speed' | 'seconds' | 'again' | 'verify' | 'dataset' | 'reds' | 'processes' | 'stateMb' | 'disturb' | 'kills'
> & { readonly output: string }; // prettier-ignore

const day = (name: string, text: string | undefined): string | undefined => {
  if (text !== undefined && (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(Date.parse(text))))
    throw new RangeError(`--${name}: a day YYYY-MM-DD is needed, found '${text}'`);
  return text;
};

const whole = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`--${name}: a whole number above zero is needed, found '${text}'`);
  return value;
};

const read = (argv: readonly string[]): Wanted => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      raw: text, features: text, from: text, to: text, models: text, 'no-models': flag, scores: text, epochs: { ...text, default: 'replay' },
      speed: text, seconds: text, again: flag, verify: flag, dataset: flag, reds: flag, processes: { ...text, default: '2' }, 'state-mb': text, disturb: text, 'no-kills': flag, output: { ...text, default: 'table' },
    },
  }); // prettier-ignore
  const {
    raw,
    features,
    from,
    to,
    models,
    scores,
    epochs,
    speed,
    again,
    verify,
    dataset,
    reds,
    processes,
    output,
  } = values;
  const number = (name: 'speed' | 'seconds' | 'state-mb' | 'disturb'): number | undefined =>
    values[name] === undefined ? undefined : whole(name, values[name]);
  if (positionals.join(' ') !== 'fraud') throw new RangeError('what is compared? there are: fraud, night');
  if (raw === undefined || features === undefined) throw new RangeError('--raw and --features are needed');
  if (output !== 'table' && output !== 'json')
    throw new RangeError(`--output: table or json, not '${output}'`);
  const days = daysOf(resolve(raw), resolve(features), day('from', from), day('to', to));
  const folder = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(path);
  if (epochs !== 'replay' && epochs !== 'live')
    throw new RangeError(`--epochs: replay or live, not '${epochs}'`);
  if (epochs === 'replay' && (speed !== undefined || again))
    throw new RangeError('--speed and --again are of --epochs live');
  if (verify && values['no-models'])
    throw new RangeError('--verify reads what was scored: it does not go with --no-models');
  if (dataset && (values['no-models'] || epochs !== 'replay'))
    throw new RangeError(
      '--dataset reads what was scored of a replay: it goes with models and --epochs replay',
    );
  if (reds && !dataset) throw new RangeError('--reds is of --dataset');
  return {
    days,
    models: folder(models),
    asksModels: !values['no-models'],
    scores: folder(scores),
    epochs,
    speed: number('speed'),
    seconds: number('seconds'),
    again,
    verify,
    dataset,
    reds,
    processes: whole('processes', processes),
    stateMb: number('state-mb'),
    disturb: number('disturb'),
    kills: !values['no-kills'],
    output,
  };
};

interface Stage {
  readonly addresses: Stack;
  readonly world: World;
  readonly directory: string;
}

/** With a stack of its own: never on somebody's own topics, the events are made up. */
const onStack = async (io: CommandIo, use: (stage: Stage) => Promise<number>): Promise<number> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-parity-'));
  const { environment } = io;
  const addresses = await startStack({ ways: ['jvm', 'containers'], directory, environment, warmUp, onProgress: line => io.say(`  ${line}`) });
  const world = openWorld(addresses);
  let failed = true;
  try {
    const code = await use({ addresses, world, directory });
    failed = code !== 0;
    return code;
  } finally {
    await world.broker.close();
    await addresses.stop();
    if (failed) io.say(`Logs: ${join(directory, 'logs')}`);
    else rmSync(directory, { recursive: true, force: true });
  }
}; // prettier-ignore

/** Lines beside the JSON on stderr, alone on stdout. */
const tell = (io: CommandIo, output: string, result: object, lines: readonly string[], wrong: readonly string[]): number => {
  for (const line of [...lines, ...wrong.map(text => `DIFFERENT: ${text}`)])
    if (output === 'json') io.say(line);
    else io.out(line);
  if (output === 'json') io.out(JSON.stringify(result));
  return wrong.length === 0 ? 0 : DIFFERENT;
}; // prettier-ignore

const parity = async (io: CommandIo, { output, ...wanted }: Wanted): Promise<number> =>
  onStack(io, async stage => {
    const { environment, signal } = io;
    const result = await runParity({
      ...wanted, ...stage, environment, prefix: '', makeScorer: onnxScorer, signal, say: line => io.say(line),
    });
    return tell(io, output, result, reportLines(result), differences(result));
  }); // prettier-ignore

interface NightsWanted {
  readonly portfolio: string;
  readonly pipeline: Pipeline;
  readonly output: string;
}

const readNights = (argv: readonly string[]): NightsWanted => {
  const options = { portfolio: { type: 'string', default: 'taiwan' }, output: { type: 'string', default: 'table' } } as const; // prettier-ignore
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options });
  if (positionals.length > 1) throw new RangeError(`what is '${positionals[1]}'?`);
  const [pipeline] = pipelinesNamed([portfolioNamed(values.portfolio).portfolio.pipeline]);
  return { ...values, pipeline: pipeline! };
};

const nights = async (io: CommandIo, { output, ...wanted }: NightsWanted): Promise<number> =>
  onStack(io, async stage => {
    const { environment, signal } = io;
    const result = await runNights({ ...wanted, ...stage, environment, signal, name: 'parity', say: line => io.say(line) }); // prettier-ignore
    return tell(io, output, result, nightsLines(result), result.wrong);
  });

/** Reads the arguments, telling how they are written where they are wrong. */
const asked = async <T>(io: CommandIo, read: () => T, run: (wanted: T) => Promise<number>): Promise<number> => {
  let wanted: T;
  try {
    wanted = read();
  } catch (error) {
    io.say(`${(error as Error).message}\n${USAGE}`);
    return USED_WRONGLY;
  }
  return run(wanted);
}; // prettier-ignore

await runCommand((argv, io) =>
  argv[0] === 'night'
    ? asked(
        io,
        () => readNights(argv),
        wanted => nights(io, wanted),
      )
    : asked(
        io,
        () => read(argv),
        wanted => parity(io, wanted),
      ),
);
