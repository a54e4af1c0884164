/** The command line: what there is, how it is called. Each command's work is in `commands/` or `demo/`. */
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { MODELS_FOLDER, pipelines, pipelinesNamed } from '@millrace/pipelines';
import { systemClock } from '@millrace/telemetry';
import { Command, CommanderError, Option } from 'commander';
import { featureCommands } from './commands/featureCommands.ts';
import { exportDataset } from './commands/dataset.ts';
import { batchRun } from './commands/batch.ts';
import { evaluate } from './commands/evaluate.ts';
import { printAcls } from './commands/acls.ts';
import { capacityCommands } from './commands/capacity/commands.ts';
import { letterCommands } from './commands/dlq/commands.ts';
import { init } from './commands/init.ts';
import { publishPortfolio } from './commands/portfolio.ts';
import { publish } from './commands/publish.ts';
import { replayCommands } from './commands/replay.ts';
import { reconcileRuns, TOLERANCE_DEFAULT } from './commands/reconcile.ts';
import { run } from './commands/run.ts';
import { applyTopicPlan, registerSchemas } from './commands/schemas.ts';
import { routeCommands } from './commands/routes.ts';
import { scheduleCommand } from './commands/schedule.ts';
import { down, status } from './commands/stack.ts';
import { followed, tail } from './commands/tail.ts';
import { trace } from './commands/trace.ts';
import { startUp } from './commands/up.ts';
import { demo } from './demo/start.ts';
import {
  directory,
  type Done,
  gpuOption,
  notNegative,
  output,
  pipelineOption,
  positive,
  talks,
  whole,
} from './flags.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, UsageError } from './io.ts';
import { type AddressFlags, findAddresses } from './world/addresses.ts';
import { FIRST_MODEL_VERSION } from './world/models.ts';
import { withWorld } from './world/open.ts';
import type { World } from './world/prepare.ts';

const ROOT = join(import.meta.dirname, '../../..');

const stackCommands = (program: Command, io: Io, done: Done): void => {
  const demoCommand = program.command('demo').description('run the main job: a simulated stream, scored end to end, with an account that adds up');
  demoCommand
    .option('--events <n>', 'payments to send', whole, 20_000)
    .option('--seed <n>', 'of the simulation', whole, 1)
    .option('--rate <n>', 'payments and labels a second', positive, 1_500)
    .option('--keep', 'leave everything running afterwards', false)
    .addOption(new Option('--stack <way>', 'how to get a stack; default: the first that can be had').choices(['external', 'containers', 'jvm', 'memory']))
    .addOption(directory())
    .addOption(output())
    .action(options => done(demo(io, options)));
  program
    .command('up')
    .description('start a stack and the services, and leave them running')
    .option('--prepare-only', 'only create topics, schemas and first control entries on a stack that is there', false)
    .addOption(directory())
    .addOption(output())
    .action(options => done(startUp(io, options)));
  program.command('down').description('stop what up or demo --keep left running').addOption(directory()).action(options => done(down(io, options.directory, systemClock)));
  program.command('status').description('addresses, pids and health').addOption(directory()).addOption(output()).action(options => done(status(io, options.directory, options.output)));
}; // prettier-ignore

interface PlanFlags extends AddressFlags {
  readonly execute: boolean;
  readonly output: OutputForm;
}

/** Runs in the world that the flags lead to. */
const inWorld =
  (io: Io) =>
  async (where: AddressFlags, use: (world: World) => Promise<ExitCode>): Promise<ExitCode> =>
    withWorld(await findAddresses(io, where), use);

const dataCommands = (program: Command, io: Io, done: Done): void => {
  const world = inWorld(io);
  const one = (name: string) => pipelinesNamed([name])[0]!;
  talks(program.command('publish').description('write rows of a file to the topic of a stream'))
    .addOption(pipelineOption())
    .option('--stream <name>', 'which stream')
    .option('--file <file...>', 'CSV or NDJSON, .gz too; - for stdin')
    .option('--map <pairs>', 'CSV columns: FIELD=COLUMN,FIELD=COLUMN…')
    .option('--portfolio <name[:part,…]>', 'instead of a stream: an example that ships, its events and outcomes; with --file, files of its form')
    .option('--rejects <file>', 'portfolio: where rows go that cannot be used; default: NAME.rejects.ndjson')
    .option('--rate <n>', 'records a second', positive)
    .addOption(new Option('--speedup <k>', 'pass event time this many times faster than the clock').argParser(positive).conflicts('portfolio'))
    .addOption(output('portfolio: how its counts are printed'))
    .action(o => {
      const pace = { ...(o.rate !== undefined && { rate: o.rate }), ...(o.speedup !== undefined && { speedup: o.speedup }) };
      if (o.portfolio !== undefined) {
        if (o.stream !== undefined || o.map !== undefined) throw new UsageError('--portfolio knows its streams and columns: leave out --stream and --map');
        return done(world(o, w => publishPortfolio(io, w, one(o.pipeline), { ...o, files: o.file, pace })));
      }
      if (o.stream === undefined || o.file === undefined) throw new UsageError('name --stream and --file, or a --portfolio');
      return done(world(o, w => publish(io, w, one(o.pipeline), { stream: o.stream, files: o.file, map: o.map, pace })));
    });
  talks(program.command('tail').description('follow what is scored, or pushed beside it').argument('<what>', 'predictions, or the name of a push'))
    .addOption(pipelineOption())
    .option('--limit <n>', 'stop after so many', whole)
    .option('--from-beginning', 'begin with the oldest that is kept', false)
    .addOption(output())
    .action((what, o) => {
      const pipeline = one(o.pipeline);
      const of = followed(pipeline, what);
      return done(world(o, w => tail(io, w, pipeline, of, o)));
    });
  talks(program.command('trace').description('from a score back to its input, vector and model').argument('<prediction-id>'))
    .addOption(pipelineOption())
    .option('--models <folder>', 'model store', MODELS_FOLDER)
    .addOption(output())
    .action((id, o) => done(world(o, w => trace(io, w, one(o.pipeline), { id, models: o.models, output: o.output }))));
  talks(program.command('evaluate').description('how good the scores were, by the labels that have come since'))
    .addOption(pipelineOption())
    .option('--from <day>', 'first day of event time, YYYY-MM-DD')
    .option('--to <day>', 'last day, included')
    .option('--as-of <time>', 'count labels that were known by then')
    .option('--by <names>', 'one line for each model, arm, run, route, decision, fallback, business figure in words, value of a feature, or field of the event; comma separated', 'model')
    .option('--top <k>', 'rows, and entities a day, that somebody can look at', whole, 100)
    .option('--leave-out-known-since <day>', 'leave out entities with a true label known before the day, of an event since')
    .addOption(output())
    .action(o => done(world(o, w => evaluate(io, w, one(o.pipeline), o))));
  talks(program.command('dataset').description('rows to train on').command('export').description('features as they were known at each event, labels as they were known by a time, as Parquet'))
    .addOption(pipelineOption())
    .requiredOption('--from <day>', 'first day of event time, YYYY-MM-DD')
    .requiredOption('--to <day>', 'last day, included')
    .option('--as-of <time>', 'count labels that were known by then; default: now')
    .addOption(new Option('--source <how>', 'vectors as predictions carry them, or one fold over the events again').choices(['served', 'recomputed']).default('served'))
    .option('--set <n>', 'version of the feature set; default: the one that the definition names first', whole)
    .requiredOption('--out <file>', 'Parquet file to write; FILE.manifest.json goes beside it')
    .option('--like <manifest>', 'again exactly what that manifest says, but for the file')
    .addOption(output())
    .action(o => done(world(o, w => exportDataset(io, w, one(o.pipeline), o))));
  talks(program.command('topics').description('the topics of the catalogue').command('apply').description('create and alter what differs; a plan without --execute'))
    .option('--execute', 'do it', false)
    .addOption(output())
    .action((o: PlanFlags) => done(world(o, w => applyTopicPlan(io, w, pipelines, o))));
  talks(program.command('schemas').description('the schemas of the catalogue').command('register').description('register what is missing; a plan without --execute'))
    .option('--execute', 'do it', false)
    .addOption(output())
    .action((o: PlanFlags) => done(world(o, w => registerSchemas(io, w, pipelines, o))));
}; // prettier-ignore

const batchCommands = (program: Command, io: Io, done: Done): void => {
  const batch = program.command('batch').description('portfolios, scored at night');
  talks(batch.command('run').description('score the newest vector of each entity once; run again, it goes on where it was'))
    .addOption(new Option('--pipeline <name>', 'which pipeline').default('credit'))
    .option('--run <id>', 'id of the run; default: pipeline and day')
    .option('--as-of <time>', 'vectors that were there before that time; default: those there are when it begins')
    .option('--models <folder>', 'model store', MODELS_FOLDER)
    .addOption(gpuOption())
    .option('--yield-lag <records>', 'records that live scoring may be behind before the night waits', whole, 1_000)
    .option('--yield-minutes <n>', 'longest wait for live scoring, in all', positive, 120)
    .option('--by <who>', 'who does it', userInfo().username)
    .option('--metrics-file <file>', 'write how the night gave way to the stream, for the textfile collector of Prometheus')
    .addOption(output())
    .action(o => done(inWorld(io)(o, w => batchRun(io, w, pipelinesNamed([o.pipeline])[0]!, o))));
  scheduleCommand(batch, io, done);
  talks(program.command('reconcile').description('two runs, or a run and the stream, answer by answer; exit code 3 where they differ'))
    .addOption(new Option('--pipeline <name>', 'which pipeline').default('credit'))
    .requiredOption('--run <id>', 'the run that is checked')
    .option('--against <id>', 'what it is checked against: another run, or live for the stream', 'live')
    .option('--tolerance <d>', 'scores a and b are equal where |a-b| <= d * max(1, |b|)', notNegative, TOLERANCE_DEFAULT)
    .option('--top <k>', 'differences that are shown of each kind', whole, 20)
    .option('--html <file>', 'write the report as one page, to read, print and sign')
    .option('--metrics-file <file>', "write the figures for the textfile collector of Prometheus' node exporter")
    .addOption(output())
    .action(o => done(inWorld(io)(o, w => reconcileRuns(io, w, pipelinesNamed([o.pipeline])[0]!, o))));
}; // prettier-ignore

const aclCommands = (program: Command, io: Io, done: Done): void => {
  program.command('acls').description('rights at the brokers').command('print').description('what each service needs, and no more')
    .option('--pipeline <name>', 'only this pipeline')
    .option('--service <name>', 'only this service')
    .option('--principal <form>', 'how services are called at the brokers', 'User:{service}')
    .addOption(new Option('--output <form>', 'how they are printed; commands: for a shell, with kafka-acls.sh').choices(['table', 'json', 'commands']).default('table'))
    .action(o => done(printAcls(io, o.pipeline === undefined ? pipelines : pipelinesNamed([o.pipeline]), o)));
}; // prettier-ignore

const authorCommands = (program: Command, io: Io, done: Done): void => {
  program
    .command('init')
    .description('begin a pipeline of your own')
    .argument('<name>')
    .action(name => done(init(io, ROOT, name)));
  program
    .command('run')
    .description('features and scores of a file, without Kafka')
    .addOption(pipelineOption())
    .requiredOption('--input <file>', 'events: CSV or NDJSON, .gz too; - for stdin')
    .option('--labels <file>', 'labels of the events')
    .option('--map <pairs>', 'CSV columns: FIELD=COLUMN,FIELD=COLUMN…')
    .option('--models <folder>', 'model store', MODELS_FOLDER)
    .option('--model-version <version>', 'version of the model', FIRST_MODEL_VERSION)
    .addOption(new Option('--output <form>', 'how results are printed').choices(['csv', 'json']).default('csv'))
    .action(o => done(run(io, pipelinesNamed([o.pipeline])[0]!, { ...o, input: o.input === '-' ? '-' : resolve(o.input) })));
}; // prettier-ignore

/** Runs one command line and gives its exit code. */
export const runProgram = async (argv: readonly string[], io: Io): Promise<number> => {
  let code: number = EXIT.done;
  const done: Done = async work => {
    code = await work;
  };
  const program = new Command('millrace')
    .description(
      'Scores events on Kafka with ONNX models, in the stream and at night, through one and the same code.',
    )
    .version('0.1.0')
    .exitOverride()
    .configureOutput({ writeOut: text => io.out(text.trimEnd()), writeErr: text => io.say(text.trimEnd()) })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 called wrongly, 3 differences found, 130 interrupted.',
    );
  stackCommands(program, io, done);
  dataCommands(program, io, done);
  letterCommands(program, io, done);
  replayCommands(program, io, done);
  batchCommands(program, io, done);
  routeCommands(program, io, done);
  featureCommands(program, io, done);
  aclCommands(program, io, done);
  capacityCommands(program, io, done);
  authorCommands(program, io, done);
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput(program.configureOutput());
    command.commands.forEach(quiet);
  };
  quiet(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof UsageError) {
      io.say(`error: ${error.message}`);
      return EXIT.usage;
    }
    throw error;
  }
};
