import type { Pipeline } from '@millrace/define';
import { fraud } from './fraud.ts';

export { fraud } from './fraud.ts';

/** Every pipeline that ships. */
export const pipelines: readonly Pipeline[] = [fraud];
