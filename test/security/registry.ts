import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Certificate } from './certificates.ts';

export interface RegistryFront {
  readonly url: string;
  close(): Promise<void>;
}

/** A registry behind TLS and a password: what is asked without it is refused, the rest is passed on. */
export const registryFront = async (
  target: string,
  certificate: Certificate,
  userInfo: string,
): Promise<RegistryFront> => {
  const wanted = `Basic ${Buffer.from(userInfo).toString('base64')}`;
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.headers.authorization !== wanted) {
      response.writeHead(401).end('{}');
      return;
    }
    const type = 'application/vnd.schemaregistry.v1+json';
    const answer = await fetch(new URL(request.url!, target), {
      method: request.method!,
      headers: { accept: type, ...(chunks.length > 0 && { 'content-type': type }) },
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    });
    response.writeHead(answer.status, { 'content-type': type }).end(await answer.text());
  };
  const pem = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) };
  const server = createServer(pem, (request, response) => {
    forward(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}${new URL(target).pathname}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
};
