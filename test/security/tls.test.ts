/** A broker or a registry whose certificate is not accepted: refused at once, and the message names the remedy. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { confluentRegistry } from '@millrace/avro';
import { kafkaBroker, RefusedError } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import { describeUnless } from '../jest/skip.ts';
import { type Authority, type Certificate, newAuthority, noOpenssl } from './certificates.ts';

const text = (path: string): string => readFileSync(path, 'utf8');

describeUnless(noOpenssl)('certificates', () => {
  let folder: string;
  let known: Authority;
  let unknown: Authority;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
    known = newAuthority(folder, 'known');
    unknown = newAuthority(folder, 'unknown');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const listening = async <T>(server: Server, use: (port: number) => Promise<T>): Promise<T> => {
    const open = new Set<TLSSocket>();
    server.on('secureConnection', (socket: TLSSocket) => open.add(socket));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    try {
      return await use((server.address() as AddressInfo).port);
    } finally {
      for (const socket of open) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    }
  };
  const pair = ({ cert, key }: Certificate) => ({ cert: text(cert), key: text(key) });

  /** What a broker's client says of a server that speaks TLS, and nothing else. */
  const kafkaSays = (certificate: Certificate): Promise<unknown> =>
    listening(createServer({ ...pair(certificate) }), async port => {
      const broker = kafkaBroker({
        bootstrapServers: `127.0.0.1:${port}`,
        clientId: 'test',
        ssl: { ca: text(known.cert) },
        logger: noLogger,
        clock: systemClock,
      });
      try {
        return await broker.admin.describeTopics();
      } catch (error) {
        return error;
      } finally {
        await broker.close();
      }
    });
  const registrySays = (certificate: Certificate): Promise<unknown> =>
    listening(
      createHttps(pair(certificate), (_, response) =>
        response.setHeader('content-type', 'application/json').end('{"schema":"\\"int\\""}'),
      ),
      port =>
        confluentRegistry({
          url: `https://127.0.0.1:${port}`,
          clock: systemClock,
          tls: { ca: text(known.cert) },
          retry: { retryCountMax: 0 },
        })
          .schemaById(1)
          .catch((error: unknown) => error),
    );

  const wrong: readonly (readonly [string, () => Certificate])[] = [
    ['has expired', () => known.sign('expired', { isExpired: true })],
    ['is signed by somebody else', () => unknown.sign('foreign')],
    ['names another host', () => known.sign('elsewhere', { address: 'DNS:elsewhere.example' })],
  ];

  test.each(wrong)('Kafka: one that %s', async (_, certificate) => {
    const error = await kafkaSays(certificate());
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as Error).message).toContain('KAFKA_SSL_CA_LOCATION must hold what signs it');
  });

  test.each(wrong)('the registry: one that %s', async (_, certificate) => {
    const error = await registrySays(certificate());
    expect((error as Error).name).toBe('RegistryUnavailable');
    expect((error as Error).message).toContain('SCHEMA_REGISTRY_SSL_CA_LOCATION must hold what signs');
  });

  test('the registry: one that is good', async () => {
    expect(await registrySays(known.sign('good'))).toBe('"int"');
  });
});
