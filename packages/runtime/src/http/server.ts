import { renameSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type Logger, noLogger } from '@millrace/telemetry';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Component } from '../component.ts';
import type { Readiness } from '../readiness.ts';
import { sendProblem } from './problem.ts';

/** Fastify, by the names under which services know it. */
export type HttpApp = FastifyInstance;
export type HttpRequest = FastifyRequest;
export type HttpReply = FastifyReply;
/** Adds routes before the server listens. */
export type Routes = (app: HttpApp) => void;

export interface HttpLimits {
  readonly bodyBytesMax: number;
  /** Head and body of a request must have come by then, milliseconds. */
  readonly requestMsMax: number;
  readonly headerBytesMax: number;
  /** Connections at a time; who comes past that is not let in. */
  readonly connectionsMax: number;
}

export const HTTP_LIMITS: HttpLimits = {
  bodyBytesMax: 1 << 20,
  requestMsMax: 15_000,
  headerBytesMax: 16 << 10,
  connectionsMax: 10_000,
};

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly readiness: Readiness;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  readonly logger?: Logger;
  readonly routes?: readonly Routes[];
  readonly limits?: Partial<HttpLimits>;
  /** Written once the server listens: `{"pid":1,"port":8080}`. */
  readonly readyFile?: string | undefined;
}

export interface HttpServer extends Component {
  /** For tests: `app.inject(...)` answers without a socket. */
  readonly app: HttpApp;
  /** The port listened on. @throws before the start */
  port(): number;
}

/** `/livez` looks at nothing but this thread, so that no outage elsewhere restarts us; `/readyz` asks the parts. */
const healthRoutes =
  ({ readiness, metrics }: HttpServerOptions): Routes =>
  app => {
    app.get('/livez', async () => ({ status: 'live' }));
    app.get('/readyz', async (_request, reply) => {
      const notReady = readiness.notReady();
      const ready = Object.keys(notReady).length === 0;
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', notReady });
    });
    app.get('/metrics', async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).send(text);
    });
  };

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  408: 'Request timed out',
  413: 'Body too large',
  415: 'Unsupported media type',
  431: 'Headers too large',
};

const createApp = (limits: HttpLimits, logger: Logger): HttpApp => {
  const app = Fastify({
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestMsMax,
    // Without its own check interval, Node looks for requests that are late only every 30 s.
    http: {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.requestMsMax,
      connectionsCheckingInterval: 1_000,
    },
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    // Clients that keep a connection must not hold up the stop; requests in flight are answered.
    forceCloseConnections: 'idle',
    // What still comes on an open connection is answered by its route, which says when to come again.
    return503OnClosing: false,
  });
  app.server.maxConnections = limits.connectionsMax;
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) logger.error({ err: error }, 'request failed');
    const detail = status >= 500 ? 'The request failed on our side; it may be sent again.' : error.message;
    return sendProblem(reply, { status, title: TITLES[status] ?? 'Request failed', detail });
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      status: 404,
      title: 'Not found',
      detail: `There is nothing for ${request.method} here.`,
    }),
  );
  return app;
};

/** The port in one line of log, and in a file where one is asked for: how others find a server on a free port. */
const announce = (port: number, { logger = noLogger, readyFile }: HttpServerOptions): void => {
  logger.info({ port }, 'listening');
  if (readyFile === undefined) return;
  // Renamed into place, so that a reader never sees half of it.
  writeFileSync(`${readyFile}.new`, JSON.stringify({ pid: process.pid, port }));
  renameSync(`${readyFile}.new`, readyFile);
};

/** Health, metrics and a service's own routes. Put it first among the parts: it then answers while the others start. */
export const httpServer = (options: HttpServerOptions): HttpServer => {
  const { host, port, logger = noLogger, routes = [], limits } = options;
  const app = createApp({ ...HTTP_LIMITS, ...limits }, logger);
  for (const add of [healthRoutes(options), ...routes]) add(app);
  let closing: Promise<void> | undefined;
  return {
    name: 'http',
    app,
    port: () => {
      const at = app.server.address() as AddressInfo | null;
      if (at === null) throw new Error('the server does not listen');
      return at.port;
    },
    start: async () => {
      await app.listen({ host, port });
      announce((app.server.address() as AddressInfo).port, options);
    },
    stop: async () => {
      await (closing ??= app.close());
    },
  };
};
