import type { Pipeline } from '@millrace/define';
import { type HttpApp, type HttpReply, type Routes, sendProblem } from '@millrace/runtime';
import type { Database } from './postgres/database.ts';
import { DatabaseAway } from './postgres/errors.ts';

const RETRY_AFTER_S = 5;

const unknownPipeline = (reply: HttpReply, pipelines: readonly Pipeline[]): HttpReply =>
  sendProblem(reply, {
    status: 404,
    title: 'Unknown pipeline',
    detail: `Pipelines here: ${pipelines.map(p => p.name).join(', ')}.`,
  });

const noPrediction = {
  status: 404,
  title: 'No prediction',
  detail: 'There is no prediction of this event: it is not known, or not scored and stored yet.',
} as const;

/** Answers from the database; 503 while it is away, with the time after which to ask again. */
const answer = async (reply: HttpReply, from: () => Promise<HttpReply>): Promise<HttpReply> => {
  try {
    return await from();
  } catch (error) {
    if (!(error instanceof DatabaseAway)) throw error;
    const detail = 'The database does not answer just now; ask again. Scores go on being made meanwhile.';
    return sendProblem(reply, { status: 503, title: 'Not now', detail }, RETRY_AFTER_S);
  }
};

/**
 * `GET /v1/{pipeline}/predictions/{eventId}`: the answers to an event, newest first; 404 while there is none.
 * `GET /v1/{pipeline}/summary`: how many rows there are, by decision.
 */
export const sinkRoutes =
  (pipelines: readonly Pipeline[], database: Pick<Database, 'predictions' | 'summary'>): Routes =>
  (app: HttpApp) => {
    const known = (name: string): boolean => pipelines.some(p => p.name === name);
    app.get<{ Params: { pipeline: string; eventId: string } }>(
      '/v1/:pipeline/predictions/:eventId',
      async (request, reply) => {
        const { pipeline, eventId } = request.params;
        if (!known(pipeline)) return unknownPipeline(reply, pipelines);
        return answer(reply, async () => {
          const rows = await database.predictions(pipeline, eventId);
          if (rows.length === 0) return sendProblem(reply, noPrediction);
          return reply.send({ pipeline, eventId, predictions: rows });
        });
      },
    );
    app.get<{ Params: { pipeline: string } }>('/v1/:pipeline/summary', async (request, reply) => {
      const { pipeline } = request.params;
      if (!known(pipeline)) return unknownPipeline(reply, pipelines);
      return answer(reply, async () => reply.send({ pipeline, ...(await database.summary(pipeline)) }));
    });
  };
