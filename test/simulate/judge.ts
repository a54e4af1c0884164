import type { Pipeline } from '@millrace/define';
import { judgeAnswers } from './judge/answers.ts';
import { type Course, evidenceOf } from './judge/evidence.ts';
import { idealOf } from './judge/ideal.ts';
import { judgeInputs } from './judge/inputs.ts';
import { judgeMemory } from './judge/memory.ts';
import { judgeState } from './judge/state.ts';
import { judgeVectors } from './judge/vectors.ts';
import { judgeRedriven, judgeRepeats } from './judge/redriven.ts';
import type { Town } from './town.ts';
import type { World } from './world.ts';

/** Every invariant that can be seen in what a run has left in its topics. */
export async function judge(
  world: World,
  town: Town,
  pipeline: Pipeline,
  course: Course,
): Promise<readonly string[]> {
  const evidence = await evidenceOf(world, town, pipeline, course);
  const inputs = [...judgeRedriven(evidence), ...judgeInputs(evidence), ...judgeRepeats(evidence)];
  // What was lost or doubled on the way shows in everything behind it.
  if (inputs.length > 0) return inputs;
  const ideal = idealOf(evidence);
  const vectors = judgeVectors(evidence, ideal);
  return [
    ...vectors,
    ...judgeState(evidence, ideal),
    // Answers are looked up by the places of their vectors.
    ...(vectors.length > 0 ? [] : judgeAnswers(evidence, ideal)),
    ...judgeMemory(evidence, town.epochsAheadMax),
  ];
}
