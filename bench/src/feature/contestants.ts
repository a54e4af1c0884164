/** Who folds windows: the feature service, and what its users would otherwise pick, each exactly once and durable. */
import { catalogue, topicsOf } from '@millrace/contracts';
import { hashFeatureSet, type Pipeline } from '@millrace/define';
import { featureGroup } from '@millrace/feature';
import type { Child } from '@millrace/localstack';
import { type Job, writeJob } from '../job.ts';
import { launch } from '../launch.ts';
import type { BuildOptions } from '../peers/build.ts';
import { java, type Program } from '../peers/contestants.ts';
import type { BenchWorld } from '../world/open.ts';
import { benchEntry, serviceOf } from '../world/service.ts';

export const FOLDERS = ['millrace', 'kafka-streams', 'flink'] as const;
export type FolderName = (typeof FOLDERS)[number];

/** One contestant in one round. */
export interface Folder {
  readonly outTopic: string;
  readonly group: string;
  start(): Promise<Child>;
}

type MakeFolder = (world: BenchWorld, pipeline: Pipeline) => Promise<Folder>;

/** What a peer is told beside what those who score are told, and less of that. */
type WindowsJob = Pick<
  Job,
  'contestant' | 'bootstrap' | 'group' | 'inTopic' | 'outTopic' | 'exactlyOnce' | 'folder' | 'inSchema' | 'outSchema' | 'outSchemaId'
> & { readonly featureSet: number; readonly featureSetHash: string }; // prettier-ignore

export interface FoldersOptions extends BuildOptions {
  readonly settings: Readonly<Record<string, string>>;
  readonly profile: string | undefined;
}

const service =
  ({ settings, profile }: FoldersOptions): MakeFolder =>
  async (world, pipeline) => {
    const { name } = pipeline;
    return {
      outTopic: topicsOf(pipeline).features,
      group: featureGroup(pipeline),
      start: () =>
        serviceOf(world, { name, entry: benchEntry('feature'), pipeline: name, settings, profile }).start(),
    };
  };

const peer =
  (name: FolderName, [command, before, after]: Program): MakeFolder =>
  async (world, pipeline) => {
    const { scored, features } = topicsOf(pipeline);
    const topics = catalogue([pipeline]);
    const [events, vectors] = [scored, features].map(of => topics.find(topic => topic.name === of)!);
    const { partitions, config, value } = vectors!;
    const contestant = `${name}-${pipeline.name}`;
    const outTopic = `bench.${pipeline.name}.${name}.v1`;
    await world.broker.admin.createTopics([{ name: outTopic, partitions, config }]);
    const job: WindowsJob = {
      contestant,
      bootstrap: world.kafka,
      group: `bench.${contestant}`,
      inTopic: scored,
      outTopic,
      exactlyOnce: true,
      folder: world.directory,
      inSchema: events!.value!.schema,
      outSchema: value!.schema,
      outSchemaId: (await world.registry.idOf(value!.subject, value!.schema))!,
      featureSet: pipeline.features.version,
      featureSetHash: hashFeatureSet(pipeline),
    };
    const args = [...before, writeJob(job), ...after];
    return { outTopic, group: job.group, start: () => launch(world, { name: contestant, command, args }) };
  };

const MAKERS: Readonly<Record<FolderName, (options: FoldersOptions) => Promise<MakeFolder>>> = {
  millrace: async options => service(options),
  'kafka-streams': async options =>
    peer('kafka-streams', await java('clients', 'StreamsWindows', undefined, options)),
  flink: async options => peer('flink', await java('flink', 'FlinkWindows', undefined, options)),
};

/** Built where need be. @throws Error where one cannot be built */
export const makerOf = (name: FolderName, options: FoldersOptions): Promise<MakeFolder> =>
  MAKERS[name](options);
