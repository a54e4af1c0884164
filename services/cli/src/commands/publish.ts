import { Bad } from '@millrace/avro';
import { catalogue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { readSchema, toValue } from '@millrace/ingest';
import { EXIT, type ExitCode, type Io, UsageError } from '../io.ts';
import { type Pace, paced } from '../publish/pace.ts';
import { openPublisher } from '../publish/publisher.ts';
import { fileRows, parseMapping } from '../publish/rows.ts';
import { waitForVectors } from '../publish/vectors.ts';
import type { World } from '../world/prepare.ts';

export interface PublishOptions {
  readonly stream: string;
  readonly files: readonly string[];
  readonly map: string | undefined;
  readonly pace: Pace;
}

const SAY_EVERY_MS = 1_000;

/** Turns rows of files into values of the stream; a row that does not fit is named and ends the command. */
async function* values(
  io: Io,
  pipeline: Pipeline,
  options: PublishOptions,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const topic = topicsOf(pipeline).events[options.stream]!;
  const schema = readSchema(catalogue([pipeline]).find(t => t.name === topic)!.value!.schema);
  const mapping = options.map === undefined ? undefined : parseMapping(options.map);
  for (const file of options.files) {
    let number = 0;
    for await (const row of fileRows(file, { stdin: io.stdin, ...(mapping && { mapping }) })) {
      number++;
      const value = toValue(schema, row);
      if (value instanceof Bad) throw new RangeError(`${file}, record ${number}: ${value.message}`);
      yield value as Readonly<Record<string, unknown>>;
    }
  }
}

/** Says when events that need the rows may come. */
const tellTaken = async (io: Io, world: World, pipeline: Pipeline, topic: string): Promise<void> => {
  const { state, left } = await waitForVectors(world, pipeline, topic, io.signal, () => undefined);
  io.say(
    {
      there: 'The feature service has taken every row: events find them.',
      behind: `${left} rows are not taken, and it does not go on: look at the feature service.`,
      nobody: `${left} rows are not taken: no feature service is running. Events that it meets first do not find them.`,
    }[state],
  );
};

/** `millrace publish`: rows of files straight to the topic of a stream, acknowledged, in file order. */
export const publish = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  options: PublishOptions,
): Promise<ExitCode> => {
  const stream = pipeline.events[options.stream];
  if (stream === undefined)
    throw new UsageError(
      `pipeline ${pipeline.name} has no stream '${options.stream}'; it has: ${Object.keys(pipeline.events).join(', ')}`,
    );
  const publisher = await openPublisher(world, pipeline);
  const startedAt = world.clock.now();
  const rate = (): string => {
    const seconds = Math.max(0.001, (world.clock.now() - startedAt) / 1000);
    return `${publisher.published} records in ${seconds.toFixed(1)} s, ${Math.round(publisher.published / seconds)}/s`;
  };
  let saidAt = startedAt;
  try {
    const timeOf = (value: Readonly<Record<string, unknown>>): number =>
      Number(value[stream.knownAt ?? stream.time]);
    for await (const batch of paced(
      values(io, pipeline, options),
      options.pace,
      timeOf,
      world.clock,
      io.signal,
    )) {
      await publisher.publish(batch.map(value => ({ stream: options.stream, value })));
      if (world.clock.now() - saidAt < SAY_EVERY_MS) continue;
      saidAt = world.clock.now();
      io.say(`  ${rate()}`);
    }
  } finally {
    await publisher.close();
  }
  const topic = topicsOf(pipeline).events[options.stream]!;
  io.say(`Published ${rate()} to ${topic}.`);
  if (stream.table === true) await tellTaken(io, world, pipeline, topic);
  return EXIT.done;
};
