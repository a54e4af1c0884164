/** A model folder that is not served, and every reason known for it. */
export class ModelRefused extends Error {
  readonly folder: string;
  readonly problems: readonly string[];

  constructor(folder: string, problems: readonly string[], cause?: unknown) {
    super(`model ${folder} is refused: ${problems.join('; ')}`, { cause });
    this.name = 'ModelRefused';
    this.folder = folder;
    this.problems = problems;
  }
}
