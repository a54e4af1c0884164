import { Bad, localCodec } from '@millrace/avro';
import { catalogue } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { parseJson } from '../../../services/ingest/src/body/json.ts';
import { MEDIA_TYPES, readBody } from '../../../services/ingest/src/body/read.ts';
import { readSchema } from '../../../services/ingest/src/coerce/schema.ts';
import { toValue } from '../../../services/ingest/src/coerce/value.ts';
import { payments } from '../samples.ts';
import { must, type Target, utf8 } from '../target.ts';
import { TROUBLE } from './avro.ts';

const SCHEMA = catalogue([fraud]).find(({ name }) => name === 'fraud.transactions.v1')!.value!.schema;
const WORDS = [
  ...TROUBLE,
  '"',
  '\\u0000',
  '\\ud800',
  '{"',
  '":',
  '[[[[',
  ']]]]',
  '{"a":',
  'null',
  'true',
  '1e400',
  '-0',
  '9007199254740993',
  '2026-02-30T00:00:00Z',
  ',',
  '\n\n\n\n',
];

/** JSON to a value of the event's schema, and from there to Avro. */
export const jsonTarget = async (): Promise<Target> => {
  const schema = readSchema(SCHEMA);
  const codec = localCodec<object>(SCHEMA);
  return {
    name: 'json',
    samples: payments().map(one => utf8(JSON.stringify({ ...one, txAt: '2023-11-14T22:13:20.5+02:00' }))),
    words: WORDS,
    bytesMax: 262_144,
    run: input => {
      const parsed = parseJson(input);
      if (parsed instanceof Bad) return;
      const value = toValue(schema, parsed.json);
      if (value instanceof Bad) return;
      must(
        !(codec.decode(codec.encode(value as object)) instanceof Bad),
        'what is taken can be written and read',
      );
    },
  };
};

/** Bodies of all four kinds, CloudEvents among them. */
export const cloudEventsTarget = async (): Promise<Target> => {
  const [event] = payments();
  const structured = { specversion: '1.0', id: 'e1', source: '/till', type: 't', time: '2023-11-14T22:13:20Z', datacontenttype: 'application/json', data: event };
  const plain = JSON.stringify(event);
  return {
    name: 'cloudevents',
    samples: [JSON.stringify(structured), JSON.stringify([structured, structured]), `${plain}\n${plain}\n`, plain].map(utf8),
    words: [...WORDS, '"specversion":"1.0"', '"data_base64":""', '"datacontenttype":"application/++++++json"', '"data":'],
    bytesMax: 262_144,
    run: input => {
      for (const type of MEDIA_TYPES) {
        const body = readBody(type, input, {}, 1_000);
        if (!(body instanceof Bad) && body.kind === 'many') must(body.items.length <= 1_000, 'events are limited');
      }
      readBody('application/json', input, { 'ce-specversion': '1.0', 'ce-id': Buffer.from(input.subarray(0, 64)).toString('latin1'), 'ce-source': '%', 'ce-type': 't' }, 1_000);
    },
  };
}; // prettier-ignore
