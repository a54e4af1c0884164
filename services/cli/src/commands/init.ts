/** `millrace init NAME`: the files of a pipeline of one's own, ready to run on its sample. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT, type ExitCode, type Io, UsageError } from '../io.ts';

const pipelineSource = (
  name: string,
): string => `import { count, definePipeline, derived, featureSet, featureView, field, hour, mean } from '@millrace/define';

const calendar = featureView({
  name: 'calendar',
  version: 1,
  description: 'When it happened.',
  features: { hourOfDay: derived(hour(field('at'))) },
});

const recent = featureView({
  name: 'recent',
  version: 1,
  key: 'entityId',
  description: 'What the entity did lately, this event with it.',
  features: {
    count1h: count({ of: 'events', window: '1h' }),
    mean1d: mean({ of: 'events', value: field('amount'), scale: 2, window: '1d' }),
  },
});

/** Say here what is scored, and why. */
export const ${name} = definePipeline({
  name: '${name}',
  description: 'A pipeline of my own.',
  entity: 'entityId',
  timeZone: 'UTC',
  partitions: 6,
  scores: 'events',
  events: { events: { schema: '${name}/event', time: 'at', keys: ['entityId'] } },
  features: featureSet({ version: 1, inputs: { amount: field('amount') }, views: [calendar, recent] }),
  model: { name: '${name}', outputs: ['score'], fallback: [{ constant: { score: 0 } }] },
  thresholds: {},
  decisions: [{ name: 'answer' }],
  kpis: {},
});
`;

const schemaText = (name: string): string =>
  `${JSON.stringify(
    {
      type: 'record',
      name: 'Event',
      namespace: `millrace.${name}`,
      doc: 'One event, as its producer publishes it. Key of the topic: entityId in UTF-8.',
      fields: [
        {
          name: 'eventId',
          type: 'string',
          doc: 'Id of the event; the same id with the same revision is a duplicate.',
        },
        {
          name: 'revision',
          type: 'int',
          default: 0,
          doc: '0 at first; a correction of the same event has a higher one.',
        },
        {
          name: 'withdrawn',
          type: 'boolean',
          default: false,
          doc: 'True when this revision cancels the event.',
        },
        {
          name: 'sequence',
          type: 'long',
          default: 0,
          doc: "Producer's running number; orders events of equal time.",
        },
        {
          name: 'at',
          type: { type: 'long', logicalType: 'timestamp-millis' },
          doc: 'Event time, milliseconds since the epoch.',
        },
        { name: 'entityId', type: 'string', doc: 'Whom the event is about.' },
        { name: 'amount', type: 'double', doc: 'What is measured.' },
      ],
    },
    null,
    2,
  )}\n`;

const SAMPLE = `eventId,at,entityId,amount
e1,2026-01-05T09:00:00Z,a,10.00
e2,2026-01-05T09:20:00Z,a,20.00
e3,2026-01-05T09:30:00Z,b,5.00
e4,2026-01-05T10:10:00Z,a,30.00
`;

/** The index of pipelines with one more in it. */
export const withPipeline = (index: string, name: string): string => {
  const list = /(export const pipelines: readonly Pipeline\[\] = \[)([^\]]*)\]/;
  if (!list.test(index))
    throw new RangeError('packages/pipelines/src/index.ts has no list of pipelines to add to');
  return index
    .replace(list, (_, head: string, names: string) => `${head}${names.trim()}, ${name}]`)
    .replace(/\n(import \{ fraud \} [^\n]*)\n/, `\n$1\nimport { ${name} } from './${name}.ts';\n`);
};

/** @param root folder of the repository */
export const init = (io: Io, root: string, name: string): ExitCode => {
  if (!/^[a-z][a-z0-9]{1,30}$/.test(name))
    throw new UsageError(
      `'${name}' cannot be the name of a pipeline: lower-case letters and digits, a letter first, as in 'churn'`,
    );
  const files = new Map([
    [`packages/pipelines/src/${name}.ts`, pipelineSource(name)],
    [`schemas/${name}/event.avsc`, schemaText(name)],
    [`packages/pipelines/samples/${name}.csv`, SAMPLE],
  ]);
  const taken = [...files.keys()].find(file => existsSync(join(root, file)));
  if (taken !== undefined) throw new UsageError(`${taken} exists already; nothing was written`);
  const indexFile = join(root, 'packages/pipelines/src/index.ts');
  const index = withPipeline(readFileSync(indexFile, 'utf8'), name);
  for (const [file, content] of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), content);
    io.say(`wrote ${file}`);
  }
  writeFileSync(indexFile, index);
  io.say('added it to packages/pipelines/src/index.ts');
  io.say('');
  io.say('Next:');
  io.say(`  pnpm millrace run --pipeline ${name} --input packages/pipelines/samples/${name}.csv`);
  io.say('  pnpm generate                                  # schemas and types of features and predictions');
  io.say(`  put a model into packages/pipelines/models/${name}/1/ (docs/PIPELINES.md says how)`);
  return EXIT.done;
};
