/** `millrace routes show|set`: by which rules events are answered in the stream, or by the next night, and on what. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { fieldsInVectors } from '@millrace/contracts';
import { expressionInWords, isRoutes, type Pipeline, type Route, routeMistakes } from '@millrace/define';
import { pipelinesNamed } from '@millrace/pipelines';
import type { Command } from 'commander';
import { type Done, output, pipelineOption, talks } from '../flags.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import { type AddressFlags, findAddresses } from '../world/addresses.ts';
import { readControl, writeControl } from '../world/control.ts';
import { withWorld } from '../world/open.ts';
import type { World } from '../world/prepare.ts';

export interface RoutesFlags {
  /** JSON: a list of rules `{name, to, review, engine, when}`. Without it: the rules of the definition. */
  readonly file: string | undefined;
  readonly by: string;
  readonly why: string;
  readonly execute: boolean;
  readonly output: OutputForm;
}

interface InForce {
  readonly version: number;
  readonly rules: readonly Route[];
}

const inForce = async (world: World, { name, routes }: Pipeline): Promise<InForce> =>
  (await readControl(world)).find(name, 'routes', 'default') ?? { version: 0, rules: routes };

const rows = (rules: readonly Route[]): readonly (readonly string[])[] =>
  rules.length === 0
    ? [['1', 'default', 'stream', '', '', 'always']]
    : rules.map(({ name, to, when, review = false, engine = '' }, i) => [
        String(i + 1),
        name,
        to,
        review ? 'yes' : '',
        engine,
        when === undefined ? 'always' : expressionInWords(when),
      ]);

const print = (io: Io, rules: readonly Route[]): void => {
  for (const line of table(['#', 'RULE', 'ANSWERED IN', 'REVIEW', 'ENGINE', 'WHEN'], rows(rules)))
    io.out(line);
};

export const showRoutes = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  { output }: Pick<RoutesFlags, 'output'>,
): Promise<ExitCode> => {
  const { version, rules } = await inForce(world, pipeline);
  if (output === 'json') {
    io.out(JSON.stringify({ pipeline: pipeline.name, version, rules }));
    return EXIT.done;
  }
  io.say(`Version ${version} of the rules of ${pipeline.name}; the first that holds decides.`);
  print(io, rules);
  return EXIT.done;
};

/** @throws UsageError where the file cannot be read, or its rules cannot stand */
const rulesOf = async (pipeline: Pipeline, file: string | undefined): Promise<readonly Route[]> => {
  if (file === undefined) return pipeline.routes;
  let rules: unknown;
  try {
    rules = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--file: ${file} cannot be read as JSON: ${(error as Error).message}`);
  }
  if (!isRoutes(rules))
    throw new UsageError(`--file: ${file} is no list of rules {"name", "to": "stream" or "night", "review": true or nothing, "engine": "cpu" or "gpu" or nothing, "when": expression}`);
  const mistakes = routeMistakes(pipeline, rules, new Set(fieldsInVectors(pipeline)));
  if (mistakes.length > 0) throw new UsageError(`--file: the rules cannot stand:\n- ${mistakes.join('\n- ')}`);
  return rules;
}; // prettier-ignore

export const setRoutes = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  { file, by, why, execute, output }: RoutesFlags,
): Promise<ExitCode> => {
  const before = await inForce(world, pipeline);
  const rules = await rulesOf(pipeline, file);
  if (JSON.stringify(rules) === JSON.stringify(before.rules)) {
    io.say(`Version ${before.version} has these rules already.`);
    return EXIT.done;
  }
  const version = before.version + 1;
  if (output === 'table') print(io, rules);
  if (!execute) {
    io.say(`This would be version ${version} of the rules of ${pipeline.name}; --execute puts it in force.`);
    return EXIT.done;
  }
  const about = { pipeline: pipeline.name, by, why };
  const change = { kind: 'routes', name: 'default', value: { version, rules } } as const;
  const revision = await writeControl(world, about, [change]);
  if (output === 'json') io.out(JSON.stringify({ pipeline: pipeline.name, version, revision, rules }));
  io.say(
    `Version ${version}, control revision ${revision}. Each task takes it between two batches; its predictions carry it from then on.`,
  );
  return EXIT.done;
};

/** `millrace routes`. */
export const routeCommands = (program: Command, io: Io, done: Done): void => {
  const world = (where: AddressFlags, use: (world: World) => Promise<ExitCode>) =>
    findAddresses(io, where).then(at => withWorld(at, use));
  const one = (name: string) => pipelinesNamed([name])[0]!;
  const routes = program.command('routes').description('rules by which events are answered in the stream, or by the next night');
  talks(routes.command('show').description('the rules in force'))
    .addOption(pipelineOption())
    .addOption(output())
    .action(o => done(world(o, w => showRoutes(io, w, one(o.pipeline), o))));
  talks(routes.command('set').description('put rules in force, those of the definition or of a file; a plan without --execute'))
    .addOption(pipelineOption())
    .option('--file <json>', 'list of rules {name, to: stream or night, review: true or nothing, engine: cpu or gpu or nothing, when: expression}')
    .option('--by <who>', 'who does it', userInfo().username)
    .requiredOption('--why <text>', 'why')
    .option('--execute', 'do it', false)
    .addOption(output())
    .action(o => done(world(o, w => setRoutes(io, w, one(o.pipeline), o))));
}; // prettier-ignore
