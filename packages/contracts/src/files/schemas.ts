import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Text of the schema at a path under `schemas/` without its ending (`fraud/transaction`); undefined where there is none. */
export type SchemaSource = (path: string) => string | undefined;

/** Folder of this repository's schemas. */
export const SCHEMA_FOLDER = join(import.meta.dirname, '../../../../schemas');

/** Schemas in files under a folder: `<folder>/fraud/transaction.avsc`. */
export const schemaFolder =
  (folder: string): SchemaSource =>
  path => {
    const file = join(folder, `${path}.avsc`);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };

/** The schemas of this repository. */
export const repositorySchemas: SchemaSource = schemaFolder(SCHEMA_FOLDER);
