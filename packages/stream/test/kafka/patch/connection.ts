import { createServer, type Server, type Socket } from 'node:net';
import { connect } from 'node:net';
import { loadSource } from './load.ts';

/** The connection of kafkajs, as far as the tests touch it. */
export interface Connection {
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  isConnected(): boolean;
  send(request: object): Promise<unknown>;
}

const logger = {
  namespace: () => logger,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface Peer {
  readonly connection: Connection;
  /** Sockets that the server has seen, in order. */
  readonly sockets: readonly Socket[];
  readonly close: () => Promise<void>;
}

const listen = (server: Server): Promise<number> =>
  new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });

interface Target {
  readonly host: string;
  readonly port: number;
  readonly onConnect: () => void;
}

/** A connection to a server of the test's own, which answers by `onData`. */
export const peer = async (
  onData: (socket: Socket, request: Buffer) => void,
  socketFactory = ({ host, port, onConnect }: Target): Socket => connect({ host, port }, onConnect),
): Promise<Peer> => {
  const sockets: Socket[] = [];
  const server = createServer(socket => {
    sockets.push(socket);
    socket.on('data', data => onData(socket, data));
    socket.on('error', () => undefined); // The client may reset: tests end connections in every way.
  });
  const port = await listen(server);
  const ConnectionOf = loadSource('kafkajs/src/network/connection') as new (options: object) => Connection;
  const connection = new ConnectionOf({
    host: '127.0.0.1',
    port,
    logger,
    clientId: 'test',
    connectionTimeout: 1_000,
    requestTimeout: 150,
    enforceRequestTimeout: true,
    socketFactory,
  });
  return {
    connection,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
      await connection.disconnect();
    },
  };
};

/** A request of a made-up kind, with this body, whose answer is the text that came. */
export const ask = (body = Buffer.alloc(0), by: 'encoder' | 'raw' = 'encoder'): object => {
  const EncoderOf = loadSource('kafkajs/src/protocol/encoder') as new () => {
    writeBufferInternal(bytes: Buffer): void;
  };
  const encode = async (): Promise<object> => {
    if (by === 'raw') return { buffer: body };
    const encoder = new EncoderOf();
    encoder.writeBufferInternal(body);
    return encoder;
  };
  return {
    request: { apiKey: 18, apiVersion: 0, apiName: 'Test', encode },
    response: {
      decode: async (raw: Buffer) => ({ text: raw.toString() }),
      parse: async (decoded: { text: string }) => decoded.text,
    },
  };
};

/** The answer to a request, as its bytes on the wire. */
export const answer = (request: Buffer, text: string): Buffer => {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + text.length, 0);
  request.copy(head, 4, 8, 12); // The correlation id follows length, kind and version.
  return Buffer.concat([head, Buffer.from(text)]);
};
