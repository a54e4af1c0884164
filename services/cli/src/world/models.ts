/** Version with which a pipeline's first alias begins. */
export const FIRST_MODEL_VERSION = '1';
