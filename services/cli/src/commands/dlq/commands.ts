import { pipelines, pipelinesNamed } from '@millrace/pipelines';
import { type Command, Option } from 'commander';
import type { Selection } from '../../dlq/letters.ts';
import { parseTopicFlag } from '../../dlq/topics.ts';
import { type Done, output, talks, whole } from '../../flags.ts';
import { type ExitCode, type Io, UsageError } from '../../io.ts';
import { type AddressFlags, findAddresses } from '../../world/addresses.ts';
import { withWorld } from '../../world/open.ts';
import type { World } from '../../world/prepare.ts';
import { listLetters } from './list.ts';
import { redriveLetters } from './redrive.ts';
import { parsePlace, showLetters } from './show.ts';

interface LetterFlags extends AddressFlags {
  readonly topic: string;
  readonly fromOffset?: number;
  readonly toOffset?: number;
  readonly reason?: string;
  readonly stage?: string;
}
const selectionOf = ({ topic, fromOffset, toOffset, reason, stage }: LetterFlags): Selection => {
  const { name, partitions } = parseTopicFlag(topic);
  return {
    topic: name,
    ...(partitions && { partitions }),
    ...(fromOffset !== undefined && { fromOffset }),
    ...(toOffset !== undefined && { toOffset }),
    ...(reason !== undefined && { reason }),
    ...(stage !== undefined && { stage }),
  };
};
/** Which letters. */
const selects = (command: Command): Command =>
  command
    .option('--from-offset <n>', 'first letter in each partition', whole)
    .option('--to-offset <n>', 'last letter in each partition, included', whole)
    .option('--reason <reason>', 'only letters with this reason')
    .option('--stage <stage>', 'only letters that this stage rejected');

/** `millrace dlq`. */
export const letterCommands = (program: Command, io: Io, done: Done): void => {
  const world = async (where: AddressFlags, use: (world: World) => Promise<ExitCode>): Promise<ExitCode> => withWorld(await findAddresses(io, where), use);
  const dlq = program.command('dlq').description('dead letters: look at them, and send them again');
  const topicHelp = 'topic or its dead letter topic; with partitions: TOPIC:0,1';
  talks(dlq.command('list').description('how many there are, by topic, reason and stage'))
    .option('--topic <topic>', 'only those of this topic')
    .option('--pipeline <name>', 'only those of this pipeline')
    .addOption(output())
    .action(o => done(world(o, w => listLetters(io, w, o.pipeline === undefined ? pipelines : pipelinesNamed([o.pipeline]), o))));
  selects(talks(dlq.command('show').description('what letters say of themselves').argument('[letter]', 'TOPIC:PARTITION:OFFSET')))
    .option('--topic <topic>', topicHelp)
    .option('--value', 'keys, values and own headers too: they are personal data', false)
    .option('--limit <n>', 'stop after so many', whole, 20)
    .addOption(output())
    .action((place: string | undefined, o) => {
      if ((place === undefined) === (o.topic === undefined)) throw new UsageError('give either TOPIC:PARTITION:OFFSET or --topic');
      const letter = place === undefined ? undefined : parsePlace(place);
      const selection = letter === undefined ? selectionOf(o) : { topic: letter.name, ...letter.at };
      return done(world(o, w => showLetters(io, w, pipelines, selection, o)));
    });
  selects(talks(dlq.command('redrive').description('send letters again, each once; a plan without --execute')))
    .requiredOption('--topic <topic>', topicHelp)
    .option('--max <n>', 'at most so many', whole)
    .option('--loops-max <n>', 'leave letters that were sent again so often', whole, 3)
    .option('--execute', 'do it', false)
    .addOption(new Option('--dry-run', 'only the plan, which is the default').conflicts('execute'))
    .addOption(output())
    .action(o => done(world(o, w => redriveLetters(io, w, pipelines, selectionOf(o), { ...o, lettersMax: o.max ?? Number.POSITIVE_INFINITY }))));
}; // prettier-ignore
