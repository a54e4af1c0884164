import { everySet, type Pipeline } from '@millrace/define';
import { repositorySchemas, type SchemaSource } from '../files/schemas.ts';
import { type AvscRecord, parseRecord } from './avsc.ts';
import { featurePage } from './featurePage.ts';
import { schemasOf } from './schemas.ts';
import { typesOf } from './types.ts';

/** A file that follows from the definitions; the path is from the root of the repository. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** Schemas of the house's own topics. */
const HOUSE = [
  'millrace/control',
  'millrace/repartition',
  'millrace/epochs',
  'millrace/progress',
  'millrace/cuts',
  'millrace/deferred',
  'millrace/run',
  'millrace/redrive',
  'millrace/publication',
];

const typesFile = (path: string, schema: AvscRecord): GeneratedFile => ({
  path: `packages/contracts/src/generated/${path.replaceAll(/[/.]/g, '-')}.ts`,
  text: typesOf(schema),
});

/** On one line: the formatter lays it out. */
const schemaFile = (path: string, text: string): GeneratedFile => ({
  path: `schemas/${path}.avsc`,
  text: `${text}\n`,
});

/** Everything that `pnpm generate` writes: schemas of features and predictions, types of every schema, the feature page. */
export const generatedFiles = (
  pipelines: readonly Pipeline[],
  schemas: SchemaSource = repositorySchemas,
): readonly GeneratedFile[] => {
  const ofPipelines = pipelines.flatMap(pipeline => {
    const texts = schemasOf(pipeline, schemas);
    const generated = [
      ...everySet(pipeline).map(
        set => [`${set.name}/features.v${set.features.version}`, schemasOf(set, schemas).features] as const,
      ),
      [`${pipeline.name}/prediction`, texts.prediction] as const,
      ...Object.entries(texts.pushes).map(([name, text]) => [`${pipeline.name}/push.${name}`, text] as const),
    ];
    const events = Object.entries(pipeline.events).map(
      ([stream, { schema }]) => [schema, texts.events[stream]!] as const,
    );
    return [
      ...generated.map(([path, text]) => schemaFile(path, text)),
      ...[...events, ...generated].map(([path, text]) => typesFile(path, parseRecord(text, path))),
    ];
  });
  const ofHouse = HOUSE.flatMap(path => {
    const text = schemas(path);
    return text === undefined ? [] : [typesFile(path, parseRecord(text, path))];
  });
  return [
    ...ofPipelines,
    ...ofHouse,
    { path: 'docs/FEATURES.md', text: featurePage(pipelines.flatMap(everySet)) },
  ];
};
