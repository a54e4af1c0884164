import { type HttpRequest, type Problem } from '@millrace/runtime';
import { type ApiKey, presentedKey } from '../auth/keys.ts';
import { MEDIA_TYPES, type MediaType, mediaType } from '../body/read.ts';
import type { Stream } from '../event/target.ts';

/** Stands for the sender where keys are switched off. */
export const ANONYMOUS: ApiKey = { name: 'anonymous', key: '' };

export interface Refused {
  readonly problem: Problem;
  readonly retryAfterS?: number;
  readonly challenge?: true;
}

const refused = (status: number, title: string, detail: string, more: object = {}): Refused => ({
  problem: { status, title, detail, ...more },
});

/** A refusal that time may lift. */
export const busy = (detail: string, retryAfterS: number, status = 503): Refused => ({
  ...refused(status, status === 429 ? 'Too many requests' : 'Not now', detail),
  retryAfterS,
});

export const isRefused = (value: object): value is Refused => 'problem' in value;

/** The key of a request, or the answer that there is none. */
export const authenticate = (
  headers: HttpRequest['headers'],
  find: ((text: string) => ApiKey | undefined) | undefined,
): ApiKey | Refused => {
  if (find === undefined) return ANONYMOUS;
  const presented = presentedKey(headers);
  const key = presented === undefined ? undefined : find(presented);
  if (key !== undefined) return key;
  const detail =
    presented === undefined
      ? 'No API key was sent; send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`.'
      : 'The API key is not known; ask the operator for a valid one.';
  return { ...refused(401, 'Not authenticated', detail), challenge: true };
};

export const mayUse = (key: ApiKey, pipeline: string): boolean =>
  key.pipelines === undefined || key.pipelines.includes(pipeline);

/** The stream that a request names, or the answer that it cannot be had. Only streams the key may use are told of. */
export const findStream = <S extends Stream>(
  streams: readonly S[],
  key: ApiKey,
  pipeline: string,
  stream: string,
): S | Refused => {
  const found = streams.find(one => one.pipeline === pipeline && one.stream === stream);
  if (found !== undefined && mayUse(key, pipeline)) return found;
  if (streams.some(one => one.pipeline === pipeline) && !mayUse(key, pipeline))
    return refused(
      403,
      'Not allowed',
      'The API key may not send to this pipeline; ask the operator for the right.',
    );
  const known = streams
    .filter(one => mayUse(key, one.pipeline))
    .map(one => `/v1/${one.pipeline}/${one.stream}`);
  return refused(
    404,
    'No such stream',
    'There is no such pipeline or stream; `known` lists those there are.',
    { known },
  );
};

/** The media type of a body that can be read, or the answer that it cannot. */
export const checkContent = (headers: HttpRequest['headers']): MediaType | Refused => {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    return refused(415, 'Unsupported encoding', 'Compressed bodies are not taken; send the body as it is.');
  const type = mediaType(headers['content-type']);
  if (type !== undefined) return type;
  const detail = 'The content-type is not one of `accepted` in UTF-8; send one of them.';
  return refused(415, 'Unsupported media type', detail, { accepted: MEDIA_TYPES });
};

/** Bytes to set aside for a body: as announced, or the most there may be. */
export const bytesWanted = (headers: HttpRequest['headers'], bodyBytesMax: number): number | Refused => {
  const announced = headers['content-length'];
  const bytes = announced === undefined ? bodyBytesMax : Number(announced);
  if (bytes <= bodyBytesMax) return bytes;
  return refused(
    413,
    'Body too large',
    `At most ${bodyBytesMax} bytes are taken; send the events in several requests.`,
  );
};
