import type { Pipeline } from '@millrace/define';
import { type HttpApp, type HttpReply, type Routes, sendProblem } from '@millrace/runtime';
import type { Database } from './postgres/database.ts';

const unknownPipeline = (reply: HttpReply, pipelines: readonly Pipeline[]): HttpReply =>
  sendProblem(reply, {
    status: 404,
    title: 'Unknown pipeline',
    detail: `Pipelines here: ${pipelines.map(p => p.name).join(', ')}.`,
  });

/**
 * `GET /v1/{pipeline}/predictions/{eventId}`: the answers to an event, newest first; 404 while there is none.
 * `GET /v1/{pipeline}/summary`: how many rows there are, by decision.
 */
export const sinkRoutes =
  (pipelines: readonly Pipeline[], database: Database): Routes =>
  (app: HttpApp) => {
    const known = (name: string): boolean => pipelines.some(p => p.name === name);
    app.get<{ Params: { pipeline: string; eventId: string } }>(
      '/v1/:pipeline/predictions/:eventId',
      async (request, reply) => {
        const { pipeline, eventId } = request.params;
        if (!known(pipeline)) return unknownPipeline(reply, pipelines);
        const rows = await database.predictions(pipeline, eventId);
        if (rows.length > 0) return reply.send({ pipeline, eventId, predictions: rows });
        return sendProblem(reply, {
          status: 404,
          title: 'No prediction',
          detail: 'There is no prediction of this event: it is not known, or not scored and stored yet.',
        });
      },
    );
    app.get<{ Params: { pipeline: string } }>('/v1/:pipeline/summary', async (request, reply) => {
      const { pipeline } = request.params;
      if (!known(pipeline)) return unknownPipeline(reply, pipelines);
      return reply.send({ pipeline, ...(await database.summary(pipeline)) });
    });
  };
