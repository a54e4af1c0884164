import { expect, test } from '@jest/globals';
import {
  choiceField,
  ConfigError,
  configHelp,
  configPrint,
  kafkaFields,
  listField,
  Mistake,
  numberField,
  optional,
  readConfig,
  secretField,
  structuredField,
  switchField,
  textField,
  urlField,
  usual,
} from '../../src/index.ts';

const spec = {
  batchRows: numberField({ env: 'BATCH_ROWS', help: 'Rows.', min: 1, max: 100, fallback: 10 }),
  mode: choiceField({ env: 'MODE', help: 'Mode.', of: ['fast', 'safe'], fallback: 'safe' }),
  brokers: listField({ env: 'BROKERS', help: 'Brokers.' }),
  insecure: switchField({ env: 'INSECURE', help: 'Without keys.', fallback: false }),
  password: optional(secretField({ env: 'PASSWORD', help: 'Password.' })),
  database: optional(urlField({ env: 'DATABASE', help: 'Database.', schemes: ['postgres'] })),
  name: optional(textField({ help: 'Only by flag or file.' })),
} as const;
const env = { BROKERS: 'a:1, b:2' };

test('a flag wins over the environment, that over the file, that over the default', () => {
  const file = 'batchRows: 3\nmode: fast\nbrokers: [c:3]\nname: from-file\n';
  expect(readConfig(spec, { env })).toEqual({
    batchRows: 10,
    mode: 'safe',
    brokers: ['a:1', 'b:2'],
    insecure: false,
    password: undefined,
    database: undefined,
    name: undefined,
  });
  expect(readConfig(spec, { file })).toMatchObject({ batchRows: 3, mode: 'fast', brokers: ['c:3'] });
  expect(readConfig(spec, { file, env: { ...env, BATCH_ROWS: '4' } })).toMatchObject({
    batchRows: 4,
    brokers: ['a:1', 'b:2'],
  });
  const flags = ['--batch-rows', '5', '--insecure', '--mode=fast', '--name', 'x=y'];
  expect(readConfig(spec, { flags, file, env: { ...env, BATCH_ROWS: '4' } })).toMatchObject({
    batchRows: 5,
    insecure: true,
    mode: 'fast',
    name: 'x=y',
  });
});

test('every mistake is reported at once, with the name, the kind and the places, never the value', () => {
  const mistaken = (): unknown =>
    readConfig(spec, {
      flags: ['--batch-rows=hunter2', '--no-such', 'thing', '--insecure=perhaps'],
      env: { MODE: 'hunter2', DATABASE: 'mysql://u:hunter2@h', PASSWORD_FILE: '/nowhere' },
      file: 'batchSize: 5\n',
      readText: () => {
        throw Object.assign(new Error('no'), { code: 'ENOENT' });
      },
    });
  expect(mistaken).toThrow(ConfigError);
  let mistakes: readonly string[] = [];
  try {
    mistaken();
  } catch (error) {
    mistakes = (error as ConfigError).mistakes;
  }
  expect(mistakes).toEqual([
    expect.stringMatching(/^--no-such is no flag of this program; it takes --batch-rows /),
    'batchSize in the file is no setting; there are batchRows, mode, brokers, insecure, password, database, name',
    '--batch-rows must be a whole number from 1 to 100 (Rows.)',
    'MODE must be one of fast, safe (Mode.)',
    'brokers is not set (Brokers.) Set one of: --brokers, BROKERS, brokers in the file',
    '--insecure must be true or false (Without keys.)',
    'PASSWORD_FILE names a file that cannot be read (ENOENT)',
    'DATABASE must be an address that begins with postgres:// (Database.)',
  ]);
  expect(mistakes.join()).not.toContain('hunter2');
});

test.each(['- a', '"text', 'a: [', '5'])('a file that is not names with values is a mistake: %s', file => {
  expect(() => readConfig(spec, { env, file })).toThrow(ConfigError);
});

test('secrets come from files too, and are never shown', () => {
  const sources = { PASSWORD_FILE: '/run/secrets/p', DATABASE: 'postgres://user:hunter2@db:5432/millrace' };
  const config = readConfig(spec, { env: { ...env, ...sources }, readText: path => `read ${path}\n` });
  expect(config.password).toBe('read /run/secrets/p');
  expect(configPrint(spec, config)).toMatchObject({
    password: '[redacted]',
    database: 'postgres://[redacted]@db:5432/millrace',
    batchRows: 10,
  });
});

test('a structured field checks what the file holds', () => {
  const keys = structuredField<readonly number[]>({
    help: 'Keys.',
    parse: value => (Array.isArray(value) ? (value as number[]) : new Mistake('a list')),
  });
  expect(readConfig({ keys }, { file: 'keys: [1, 2]' }).keys).toEqual([1, 2]);
  expect(() => readConfig({ keys }, { file: 'keys: 5' })).toThrow(ConfigError);
});

test('help names every flag, variable and default', () => {
  const help = configHelp({ port: usual.port, kafkaBootstrapServers: kafkaFields.kafkaBootstrapServers });
  expect(help).toContain('--port, PORT (default 8080)');
  expect(help).toContain('--kafka-bootstrap-servers, KAFKA_BOOTSTRAP_SERVERS (must be set)');
});
