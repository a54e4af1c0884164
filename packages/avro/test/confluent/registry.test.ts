import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { turnedClock, type TurnedClock } from '../../../telemetry/src/index.ts';
import {
  confluentRegistry,
  frame,
  memoryRegistry,
  openCodec,
  RegistryUnavailable,
  type RegistryOptions,
} from '../../src/index.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const SCHEMA = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] });
const servers: Server[] = [];
const asked: string[] = [];

/** A registry that answers as the handler says, and how many requests it has seen. */
const serve = async (handler: Handler): Promise<string> => {
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    handler(request, response);
  });
  servers.push(server);
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const answer =
  (status: number, body: object, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    response.writeHead(status, headers).end(JSON.stringify(body));

const connect = (url: string, more: Partial<RegistryOptions> = {}, clock: TurnedClock = turnedClock()) => ({
  clock,
  registry: confluentRegistry({ url, clock, timeoutMs: 1_000, retry: { retryCountMax: 2, retryWaitMs: 10 }, ...more }),
}); // prettier-ignore

/** Turns the clock until the work is done, so that waits and limits pass. */
const during = async <T>(clock: TurnedClock, stepMs: number, work: Promise<T>): Promise<T | Error> => {
  const state = { open: true };
  const closed = work
    .catch((error: unknown) => error as Error)
    .finally(() => {
      state.open = false;
    });
  for (let i = 0; state.open && i < 2_000; i++) {
    await new Promise(resolve => setTimeout(resolve, 2));
    await clock.turn(stepMs);
  }
  return closed;
};

afterEach(async () => {
  asked.length = 0;
  await Promise.all(
    servers.splice(0).map(server => {
      server.closeAllConnections();
      return new Promise(resolve => server.close(resolve));
    }),
  );
});

describe('look-ups by id', () => {
  test('are remembered, and those under way are one', async () => {
    const { registry } = connect(await serve(answer(200, { schema: SCHEMA })));
    const texts = await Promise.all(Array.from({ length: 10 }, () => registry.schemaById(7)));
    expect([...texts, await registry.schemaById(7)]).toEqual(Array(11).fill(SCHEMA));
    expect(asked).toEqual(['GET /schemas/ids/7']);
  });

  test('of an id that does not exist are remembered for a while', async () => {
    const answers = [answer(404, { error_code: 40403 }), answer(200, { schema: SCHEMA })];
    const url = await serve((request, response) => answers.shift()!(request, response));
    const { registry, clock } = connect(url, { unknownIdMsMax: 30_000 });
    expect(await registry.schemaById(7)).toBeUndefined();
    await clock.turn(29_999);
    expect(await registry.schemaById(7)).toBeUndefined();
    expect(asked).toHaveLength(1);
    await clock.turn(1);
    expect(await registry.schemaById(7)).toBe(SCHEMA);
  });

  test('that failed are not remembered', async () => {
    let down = true;
    const url = await serve((request, response) =>
      (down ? answer(503, {}) : answer(200, { schema: SCHEMA }))(request, response),
    );
    const { registry, clock } = connect(url);
    expect(await during(clock, 10, registry.schemaById(7))).toBeInstanceOf(RegistryUnavailable);
    down = false;
    expect(await during(clock, 10, registry.schemaById(7))).toBe(SCHEMA);
  });
});

describe('a bad world', () => {
  test('of two failures is waited out', async () => {
    const answers = [answer(503, {}), answer(429, {}), answer(200, { schema: SCHEMA })];
    const url = await serve((request, response) => answers.shift()!(request, response));
    const { registry, clock } = connect(url);
    expect(await during(clock, 10, registry.schemaById(7))).toBe(SCHEMA);
    expect(asked).toHaveLength(3);
  });

  test('a registry that hangs is given up after its time, each time', async () => {
    const { registry, clock } = connect(await serve(() => undefined));
    const outcome = await during(clock, 100, registry.schemaById(7));
    expect(outcome).toBeInstanceOf(RegistryUnavailable);
    expect((outcome as Error).message).toContain('no answer within 1000 ms');
    expect(clock.now()).toBeGreaterThanOrEqual(3_000);
    expect(asked).toHaveLength(3);
  });

  test('an answer that hangs half way is given up too', async () => {
    const url = await serve((_, response) => response.writeHead(200).write('{"schema":'));
    const { registry, clock } = connect(url, { retry: { retryCountMax: 0 } });
    expect(await during(clock, 100, registry.schemaById(7))).toBeInstanceOf(RegistryUnavailable);
  });

  test('a port that nobody listens on', async () => {
    const { registry, clock } = connect('http://127.0.0.1:9');
    expect(await during(clock, 10, registry.idOf('s', SCHEMA))).toBeInstanceOf(RegistryUnavailable);
  });

  test.each([
    ['a page in place of an answer', (_: unknown, response: ServerResponse) => response.end('<html>')],
    ['an answer without a schema', answer(200, { id: 1 })],
    ['an answer without end', answer(200, { schema: 'x'.repeat(5_000_000) })],
    ['an answer that sends us elsewhere', answer(302, {}, { location: 'http://127.0.0.1:9/' })],
    ['a status of its own', answer(418, {})],
  ] as [string, Handler][])('%s', async (_, handler) => {
    const { registry, clock } = connect(await serve(handler));
    expect(await during(clock, 10, registry.schemaById(7))).toBeInstanceOf(RegistryUnavailable);
  });

  test('credentials that are refused are not tried again, nor shown', async () => {
    const { registry } = connect(await serve(answer(401, {})), {
      auth: { username: 'u', password: 'geheim' },
    });
    const refused = await registry.latest('s').catch((error: unknown) => error as Error);
    expect(refused).toBeInstanceOf(RegistryUnavailable);
    expect((refused as Error).message).not.toContain('geheim');
    expect(asked).toHaveLength(1);
  });

  test('reaches the caller of prepare as an exception, and mends', async () => {
    const memory = memoryRegistry();
    await memory.register('s', SCHEMA);
    let down = true;
    const flaky = {
      ...memory,
      schemaById: async (): Promise<string> => {
        if (down) throw new RegistryUnavailable('down');
        return SCHEMA.replace('int', 'string');
      },
    };
    const codec = await openCodec(flaky, { subject: 's', schema: SCHEMA });
    const value = frame(99, Uint8Array.of(2));
    await expect(codec.prepare([value])).rejects.toThrow(RegistryUnavailable);
    down = false;
    await codec.prepare([value]);
    expect(codec.decode(value)).toMatchObject({ reason: 'schema-mismatch' });
  });
});

test.each([
  [{ username: 'u', password: 'p' }, 'Basic dTpw'],
  [{ token: 't' }, 'Bearer t'],
])('credentials travel in their header: %j', async (auth, header) => {
  let seen: string | undefined;
  const url = await serve((request, response) => {
    seen = request.headers.authorization;
    answer(200, { schema: SCHEMA })(request, response);
  });
  await connect(url, { auth }).registry.schemaById(1);
  expect(seen).toBe(header);
});
