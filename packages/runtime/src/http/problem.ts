import type { FastifyReply } from 'fastify';

/** An answer to a request that failed, as `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly status: number;
  /** The kind of problem in a few words, the same for every occurrence. */
  readonly title: string;
  /** One sentence for a person: what was found and the remedy. */
  readonly detail: string;
  /** Further members: the failing field, what is known instead. */
  readonly [member: string]: unknown;
}

/** @param retryAfterS seconds after which the same request may succeed */
export const sendProblem = (reply: FastifyReply, problem: Problem, retryAfterS?: number): FastifyReply => {
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS));
  return reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({ type: 'about:blank', ...problem });
};
