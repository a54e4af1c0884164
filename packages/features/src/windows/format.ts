/** For a record of the state that this code cannot know: to read on would be to guess. */
export const newerFormat = (what: string, found: number, known: number): Error =>
  new Error(
    `${what} has format ${found} in the state, this release knows formats up to ${known}: a newer release wrote it. ` +
      'Start that release again; the way back to this one is to build the state again from events (docs/OPERATING.md, State)',
  );
