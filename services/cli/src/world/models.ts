import { join } from 'node:path';

/** Folder of the models that ship: `<name>/<version>/`. */
export const MODELS_FOLDER = join(import.meta.dirname, '../../../../packages/pipelines/models');
/** Version with which a pipeline's first alias begins. */
export const FIRST_MODEL_VERSION = '1';
