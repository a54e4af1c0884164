import { userInfo } from 'node:os';
import { MODELS_FOLDER, pipelines, pipelinesNamed } from '@millrace/pipelines';
import type { Command } from 'commander';
import { type Done, duration, notNegative, output, pipelineOption, talks, whole } from '../flags.ts';
import type { ExitCode, Io } from '../io.ts';
import { type AddressFlags, findAddresses, NoBroker } from '../world/addresses.ts';
import { withWorld } from '../world/open.ts';
import type { World } from '../world/prepare.ts';
import { backfillFeatures } from './backfill.ts';
import { deprecateFeature, diffFeatures, listFeatures, publishFeatures } from './features.ts';
import { TOLERANCE_DEFAULT } from './reconcile.ts';
import { showFeature } from './showFeature.ts';
import { switchSet } from './switchSet.ts';
import { verifyFeatures } from './verify.ts';

/** `millrace features`. */
export const featureCommands = (program: Command, io: Io, done: Done): void => {
  const world = (where: AddressFlags, use: (world: World) => Promise<ExitCode>) =>
    findAddresses(io, where).then(at => withWorld(at, use));
  /** Definitions are there without a broker, too. */
  const worldIfAny = async (where: AddressFlags, use: (world: World | undefined) => Promise<ExitCode>): Promise<ExitCode> => {
    try {
      return await withWorld(await findAddresses(io, where), use);
    } catch (error) {
      if (!(error instanceof NoBroker)) throw error;
      io.say(`What is published is left out: ${error.message}.`);
      return use(undefined);
    }
  };
  const of = (name: string | undefined) => (name === undefined ? pipelines : pipelinesNamed([name]));
  const features = program.command('features').description('feature views and sets: what they are, and what is published of them');
  const records = (command: Command): Command =>
    talks(command)
      .option('--by <who>', 'who does it', userInfo().username)
      .option('--why <text>', 'why', '')
      .option('--execute', 'do it', false)
      .addOption(output());
  const some = (command: Command): Command => command.option('--pipeline <name>', 'only this pipeline');
  some(talks(features.command('list').description('views and sets, with owner and state'))).addOption(output())
    .action(o => done(world(o, w => listFeatures(io, w, of(o.pipeline), o))));
  some(talks(features.command('show').description('a view in each version: its features in words, the fields that they come from, and what is published of it').argument('<view>')))
    .addOption(output())
    .action((view, o) => done(worldIfAny(o, w => showFeature(io, w, of(o.pipeline), view, o.output))));
  some(talks(features.command('diff').description('where the definitions here differ from what is published'))).addOption(output())
    .action(o => done(world(o, w => diffFeatures(io, w, of(o.pipeline), o))));
  some(records(features.command('publish').description('publish what is new here; a plan without --execute')))
    .action(o => done(world(o, w => publishFeatures(io, w, of(o.pipeline), o))));
  records(features.command('deprecate').description('mark what nothing new should use; a plan without --execute').argument('<name@version>'))
    .action((wanted, o) => done(world(o, w => deprecateFeature(io, w, wanted, o))));
  const switching = (command: Command): Command =>
    talks(command)
      .addOption(pipelineOption())
      .requiredOption('--version <n>', 'version of the feature set', whole)
      .option('--model-version <version>', 'version of the model that answers by it; default: the one named for it already')
      .option('--models <folder>', 'model store', MODELS_FOLDER)
      .option('--lag-max <records>', 'how far behind counts as caught up', whole, 1_000)
      .option('--by <who>', 'who does it', userInfo().username)
      .addOption(output());
  const one = (name: string) => pipelinesNamed([name])[0]!;
  talks(features.command('verify').description('served features against recomputed ones, on a sample of entities; exit code 3 where they differ'))
    .addOption(pipelineOption())
    .option('--set <n>', 'version of the feature set; default: the one that the definition names first', whole)
    .option('--from <day>', 'first day of event time, YYYY-MM-DD')
    .option('--to <day>', 'last day, included')
    .option('--sample <part>', 'of all entities, chosen by a hash of their names: 0.05, 5% or 1/20', '1/20')
    .option('--tolerance <d>', 'values a and b are equal where |a-b| <= d * max(1, |b|)', notNegative, TOLERANCE_DEFAULT)
    .option('--top <k>', 'differences that are shown of each kind', whole, 20)
    .option('--html <file>', 'write the report as one page')
    .option('--metrics-file <file>', "write the figures for the textfile collector of Prometheus' node exporter")
    .addOption(output())
    .action(o => done(world(o, w => verifyFeatures(io, w, one(o.pipeline), o))));
  switching(features.command('backfill').description('build a version of a feature set from history, beside the one that is served, and switch to it; run again, it goes on'))
    .option('--from <time>', 'leave out events that arrived before')
    .option('--to <time>', 'history ends there, and what arrived later is folded as it arrived; default: now')
    .option('--epochs-of <version>', 'cut history into the epochs in which that version had it live, for the same vectors to the last bit; default: by time', whole)
    .option('--slice <duration>', 'width of the slices that history is cut into by time; default: 1h', duration)
    .option('--disorder <duration>', 'how much older than an event before it in its partition an event of history may be; default: 1h', duration)
    .option('--no-switch', 'do not switch to it in the end')
    .option('--why <text>', 'why', 'it has caught up')
    .action(o => done(world(o, w => backfillFeatures(io, w, one(o.pipeline), o))));
  switching(features.command('switch').description('let inference answer by a version of the feature set, from the next event on'))
    .requiredOption('--why <text>', 'why')
    .option('--even-behind', 'although it has not caught up: answers wait until it has', false)
    .action(o => done(world(o, w => switchSet(io, w, one(o.pipeline), o))));
}; // prettier-ignore
