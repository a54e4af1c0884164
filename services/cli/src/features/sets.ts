import { ofSet, type Pipeline } from '@millrace/define';
import { UsageError } from '../io.ts';

/** The pipeline with that version of its feature set. @throws UsageError naming those there are */
export const setOf = (pipeline: Pipeline, version: number): Pipeline => {
  try {
    return ofSet(pipeline, version);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
};
