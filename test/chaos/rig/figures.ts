import type { Fleet } from './fleet.ts';

const ANSWER_MS_MAX = 10_000;

/** A figure of what each process measures, summed over its labels, by the name of the process. */
export const figuresOf = async (
  fleet: Pick<Fleet, 'awake'>,
  name: string,
): Promise<ReadonlyMap<string, number>> => {
  const asked = fleet.awake().map(async ({ name: member, port }) => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    const lines = (await answer.text()).split('\n');
    const of = lines.filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    const sum = of.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    return [member, sum] as const;
  });
  return new Map(await Promise.all(asked));
};
