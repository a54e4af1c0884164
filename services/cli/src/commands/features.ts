/** `millrace features`: what features there are, who answers for them, and what is published of them. */
import type { FeaturePublication } from '@millrace/contracts';
import type { Difference, Pipeline } from '@millrace/define';
import {
  publicationKey, readPublished, recordOf, type Standing, standings, writePublications,
} from '../features/published.ts'; // prettier-ignore
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import type { World } from '../world/prepare.ts';

export interface PublishFlags {
  readonly execute: boolean;
  readonly by: string;
  readonly why: string;
  readonly output: OutputForm;
}

export const shortHash = (hash: string): string => hash.slice(0, 12);
const isoDay = (ms: number | undefined): string => (ms === undefined ? '' : new Date(ms).toISOString());

/** `features list`: views and sets of the definitions here, and what else is published. */
export const listFeatures = async (
  io: Io,
  world: World,
  pipelines: readonly Pipeline[],
  { output }: { readonly output: OutputForm },
): Promise<ExitCode> => {
  const published = await readPublished(world);
  const here = standings(pipelines, published);
  const known = new Set(here.map(one => publicationKey(one.here)));
  const elsewhere = [...published].filter(([key]) => !known.has(key)).map(([, record]) => record);
  const lines = [
    ...here.map(({ here: of, state, published: record }) => ({ ...of, state: state as string, at: record?.at, by: record?.by })),
    ...elsewhere.map(of => ({ ...of, state: of.deprecated ? 'deprecated' : 'not here' })),
  ]; // prettier-ignore
  if (output === 'json') {
    io.out(JSON.stringify(lines));
    return EXIT.done;
  }
  const header = [
    'PIPELINE',
    'KIND',
    'NAME',
    'VERSION',
    'STATE',
    'ENTITY',
    'OWNER',
    'HASH',
    'PUBLISHED',
    'BY',
  ];
  const rows = lines.map(({ pipeline, kind, name, version, state, entity, owner, hash, at, by }) => [
    pipeline, kind, name, version, state, entity, owner, shortHash(hash), isoDay(at), by ?? '',
  ]); // prettier-ignore
  for (const line of table(header, rows)) io.out(line);
  return EXIT.done;
};

const differenceLines = (differences: readonly Difference[]): readonly string[] =>
  differences.map(({ path, before, after }) => `  ${path}: ${before ?? '(none)'} -> ${after ?? '(none)'}`);

const nameOf = ({ here }: Standing): string => `${here.kind} ${here.name}@${here.version}`;

/** `features diff`: where the definitions here differ from what is published; exit code 3 where they do. */
export const diffFeatures = async (
  io: Io,
  world: World,
  pipelines: readonly Pipeline[],
  { output }: { readonly output: OutputForm },
): Promise<ExitCode> => {
  const all = standings(pipelines, await readPublished(world));
  const differing = all.filter(({ state }) => state === 'changed' || state === 'new');
  if (output === 'json')
    io.out(JSON.stringify(differing.map(({ here, state, differences }) => ({ key: publicationKey(here), state, differences }))));
  else
    for (const one of differing) {
      io.out(`${nameOf(one)}: ${one.state}`);
      for (const line of differenceLines(one.differences)) io.out(line);
    }
  if (differing.length === 0) io.say('Everything here is published as it is.');
  return differing.length === 0 ? EXIT.done : EXIT.differences;
}; // prettier-ignore

/** `features publish`: what is new here; refused as a whole where something published has changed under its version. */
export const publishFeatures = async (
  io: Io,
  world: World,
  pipelines: readonly Pipeline[],
  flags: PublishFlags,
): Promise<ExitCode> => {
  const all = standings(pipelines, await readPublished(world));
  const changed = all.filter(({ state }) => state === 'changed');
  for (const one of changed) {
    io.say(`${nameOf(one)} is published with other content: give it a new version.`);
    for (const line of differenceLines(one.differences)) io.say(line);
  }
  if (changed.length > 0) return EXIT.failed;
  const fresh = all.filter(({ state }) => state === 'new');
  const records = fresh.map(({ here }) => recordOf(here, world.clock.now(), flags.by, flags.why));
  if (flags.output === 'json') io.out(JSON.stringify(records.map(publicationKey)));
  else for (const one of fresh) io.out(`publish ${nameOf(one)} ${shortHash(one.here.hash)}`);
  if (fresh.length === 0) io.say('Nothing to publish.');
  else if (flags.execute) {
    await writePublications(world, records);
    io.say(`${records.length} published.`);
  } else io.say('A plan only; --execute publishes.');
  return EXIT.done;
};

/** `features deprecate NAME@VERSION`: nothing new should use it; what does goes on. */
export const deprecateFeature = async (
  io: Io,
  world: World,
  wanted: string,
  flags: PublishFlags,
): Promise<ExitCode> => {
  const [name, version] = wanted.split('@');
  const published = [...(await readPublished(world)).values()];
  const found = published.filter(record => record.name === name && String(record.version) === version);
  if (found.length === 0)
    throw new UsageError(
      `'${wanted}' is not published; there are ${published.map(record => `${record.name}@${record.version}`).join(', ')}`,
    );
  const records = found.map((record): FeaturePublication => ({ ...record, deprecated: true, at: world.clock.now(), by: flags.by, why: flags.why })); // prettier-ignore
  if (flags.why === '') throw new UsageError('--why is needed: somebody will ask');
  if (flags.output === 'json') io.out(JSON.stringify(records.map(publicationKey)));
  else for (const { kind } of records) io.out(`deprecate ${kind} ${wanted}`);
  if (flags.execute) await writePublications(world, records);
  else io.say('A plan only; --execute does it.');
  return EXIT.done;
};
