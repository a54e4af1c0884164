/** `millrace features switch`: which version of a feature set inference scores by, from the next event on. */
import { join } from 'node:path';
import { openCodec } from '@millrace/avro';
import { catalogue, CHAMPION, championOf, type Cuts, SERVING, topicsOf } from '@millrace/contracts';
import { type Pipeline } from '@millrace/define';
import { findBackfill } from '@millrace/feature';
import { misfits } from '@millrace/inference';
import { ModelRefused, readManifest } from '@millrace/model';
import { globalTable } from '@millrace/stream';
import { Building } from '../features/building.ts';
import { setOf } from '../features/sets.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table } from '../io.ts';
import { type Control, type ControlChange, readControl, writeControl } from '../world/control.ts';
import type { World } from '../world/prepare.ts';

export interface SwitchOptions {
  readonly version: number;
  /** Version of the model that is to answer by it; default: the one that is named for it already. */
  readonly modelVersion: string | undefined;
  /** Folder of model folders. */
  readonly models: string;
  readonly by: string;
  readonly why: string;
  /** Records that it may be behind. */
  readonly lagMax: number;
  /** Switches although it is further behind: answers wait until it has caught up. */
  readonly evenBehind: boolean;
  readonly output: OutputForm;
}

/** How long the tasks of inference are waited for. */
const TAKEN_MS_MAX = 30_000;
const LOOK_MS = 200;

/** A reason not to switch, as a person can act on it. */
const refuse = (io: Io, reason: string): ExitCode => {
  io.say(`refused: ${reason}`);
  return EXIT.failed;
};

/** The alias whose model answers by the version, as inference looks for it; the plain one is of the version named first. */
const aliasOf = (control: Control, pipeline: Pipeline, version: number) => {
  const own = championOf(version);
  const model = control.find(pipeline.name, 'model-alias', own);
  if (model !== undefined || version !== pipeline.features.version) return { name: own, model };
  return { name: CHAMPION, model: control.find(pipeline.name, 'model-alias', CHAMPION) };
};

/** Why the model cannot answer by this version of the set; undefined where it can. */
const whyNotModel = async (folder: string, set: Pipeline): Promise<string | undefined> => {
  try {
    const problems = misfits(set, await readManifest(folder));
    return problems.length === 0 ? undefined : problems.join('; ');
  } catch (error) {
    if (error instanceof ModelRefused) return error.message;
    throw error;
  }
};

const whyNotBuilt = async (
  io: Io,
  world: World,
  set: Pipeline,
  lagMax: number,
): Promise<string | undefined> => {
  const { captured } = await findBackfill(world, set);
  const building = await Building.open(world, set, captured, io.signal);
  try {
    const { members, recordsBehind, eventsBehind } = await building.look();
    if (members === 0)
      return `nobody computes version ${set.features.version}: start the feature service with MILLRACE_PIPELINES=${set.name}@${set.features.version}`;
    if (recordsBehind > lagMax)
      return `version ${set.features.version} is ${eventsBehind} events behind: wait for it, or let answers wait for it with --even-behind`;
    return undefined;
  } finally {
    await building.close();
  }
};

/** From which event on each task answers by the version; fewer where some have not taken it in time. */
const taken = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  version: number,
): Promise<ReadonlyMap<number, number>> => {
  const { broker, registry, clock } = world;
  const topic = topicsOf(pipeline).cuts;
  const codec = await openCodec<Cuts>(
    registry,
    catalogue([pipeline]).find(({ name }) => name === topic)!.value!,
  );
  const cuts = globalTable<Cuts>({ broker, topic, codec, clock });
  await cuts.start(io.signal);
  const endMs = clock.now() + TAKEN_MS_MAX;
  try {
    for (;;) {
      const last = [...cuts.entries()].map(([, { task, cuts: list }]) => ({ task, cut: list.at(-1)! }));
      const found = new Map(
        last.filter(({ cut }) => cut.version === version).map(({ task, cut }) => [task, cut.from[task] ?? 0]),
      );
      if (found.size === pipeline.partitions || clock.now() >= endMs) return found;
      await clock.sleep(LOOK_MS, io.signal);
    }
  } finally {
    await cuts.stop(LOOK_MS);
  }
};

export const switchSet = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  { version, modelVersion, models, by, why, lagMax, evenBehind, output }: SwitchOptions,
): Promise<ExitCode> => {
  const set = setOf(pipeline, version);
  const control = await readControl(world);
  const before = control.find(pipeline.name, 'feature-set', SERVING)?.version ?? pipeline.features.version;
  if (before === version) io.say(`Version ${version} is what is to be served already.`);
  else {
    const alias = aliasOf(control, pipeline, version);
    const model =
      modelVersion === undefined ? alias.model : { model: pipeline.model.name, version: modelVersion };
    if (model === undefined)
      return refuse(
        io,
        `no model answers by version ${version} of the feature set yet: name one with --model-version`,
      );
    const reason =
      (await whyNotModel(join(models, model.model, model.version), set)) ??
      (evenBehind ? undefined : await whyNotBuilt(io, world, set, lagMax));
    if (reason !== undefined) return refuse(io, reason);
    const changes: readonly ControlChange[] = [
      ...(modelVersion === undefined
        ? []
        : [{ kind: 'model-alias', name: alias.name, value: model } as const]),
      { kind: 'feature-set', name: SERVING, value: { version } },
    ];
    const revision = await writeControl(world, { pipeline: pipeline.name, by, why }, changes);
    io.say(
      `Control revision ${revision}: version ${version} by model ${model.model} ${model.version}. Back: millrace features switch --pipeline ${pipeline.name} --version ${before}`,
    );
  }
  const cuts = await taken(io, world, pipeline, version);
  const rows = [...cuts].toSorted(([a], [b]) => a - b);
  if (output === 'json') io.out(JSON.stringify({ version, from: Object.fromEntries(rows) }));
  else for (const line of table(['PARTITION', `VERSION ${version} FROM OFFSET`], rows)) io.out(line);
  if (cuts.size === pipeline.partitions) return EXIT.done;
  io.say(
    `${pipeline.partitions - cuts.size} of ${pipeline.partitions} tasks of inference have not taken it yet; they do as soon as they run. See /readyz of inference.`,
  );
  return EXIT.done;
};
