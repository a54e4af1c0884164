import {
  type HttpApp,
  type HttpReply,
  type HttpRequest,
  type Problem,
  type Routes,
  sendProblem,
} from '@millrace/runtime';
import { keyFinder } from '../auth/keys.ts';
import { MEDIA_TYPES } from '../body/read.ts';
import type { Stream } from '../event/target.ts';
import { openApiDocument } from '../openapi/document.ts';
import { authenticate, isRefused, mayUse, type Refused } from './admission.ts';
import { admission, type Admitted, type AdmitOptions } from './admit.ts';
import type { Answer } from './answer.ts';
import { publish, type PublishOptions } from './publish.ts';

export type RouteOptions = AdmitOptions &
  PublishOptions & {
    readonly version: string;
    readonly config: AdmitOptions['config'] & PublishOptions['config'];
  };

const refuse = (reply: HttpReply, { problem, retryAfterS, challenge }: Refused): HttpReply => {
  if (challenge === true) reply.header('www-authenticate', 'Bearer realm="millrace"');
  return sendProblem(reply, problem, retryAfterS);
};

const send = (reply: HttpReply, { status, body }: Answer): HttpReply =>
  'title' in body ? sendProblem(reply, body as Problem) : reply.code(status).send(body);

const listing = (streams: readonly Stream[]): object => ({
  streams: streams.map(({ pipeline, stream, topic, subject, keyField, timeField }) => ({
    pipeline,
    stream,
    post: `/v1/${pipeline}/${stream}`,
    topic,
    subject,
    key: keyField,
    time: timeField,
  })),
});

const takeBytes = (scope: HttpApp): void => {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser([...MEDIA_TYPES], { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
};

const postRoute = (options: RouteOptions, scope: HttpApp): void => {
  const admit = admission(options);
  const admitted = new WeakMap<HttpRequest, Admitted>();
  scope.post('/v1/:pipeline/:stream', {
    bodyLimit: options.config.bodyBytesMax,
    onRequest: async (request, reply) => {
      const found = admit(request, reply);
      if (isRefused(found)) await refuse(reply, found);
      else admitted.set(request, found);
    },
    handler: async (request, reply) => {
      const answer = await publish(options, admitted.get(request)!, request);
      return isRefused(answer) ? refuse(reply, answer) : send(reply, answer);
    },
  });
};

/** Routes of ingest: `POST /v1/{pipeline}/{stream}`, `GET /v1`, `GET /openapi.json`. */
export const ingestRoutes = (options: RouteOptions): Routes => {
  const { streams, config, version } = options;
  const find = config.apiKeys.length > 0 ? keyFinder(config.apiKeys) : undefined;
  return app => {
    app.get('/openapi.json', async () => openApiDocument(streams, version));
    app.get('/v1', async (request, reply) => {
      const key = authenticate(request.headers, find);
      return isRefused(key) ? refuse(reply, key) : listing(streams.filter(one => mayUse(key, one.pipeline)));
    });
    // A scope of its own: only here are bodies taken as bytes, and only of these types.
    void app.register(async scope => {
      takeBytes(scope);
      postRoute(options, scope);
    });
  };
};
