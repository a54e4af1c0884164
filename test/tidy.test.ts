/** The house rules, kept by the repository itself: who may import whom, which library has which single home. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');

const RANKS: Readonly<Record<string, number>> = {
  avro: 0, define: 0, telemetry: 0,
  contracts: 1, stream: 1, features: 1, model: 1, runtime: 1, localstack: 1,
  pipelines: 2,
  ingest: 3, feature: 3, inference: 3, sink: 3, monitor: 3, review: 3,
  cli: 4, test: 4, bench: 4,
}; // prettier-ignore

/** Each library has one home; tests beside that home may use it too. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  kafkajs: ['packages/stream/src/kafka'],
  lmdb: ['packages/stream/src/lmdb'],
  avsc: ['packages/avro/src'],
  'hyparquet-writer': ['services/feature/src/parquet'],
  '@kafkajs/confluent-schema-registry': ['packages/avro/src'],
  'onnxruntime-node': ['packages/model/src/onnx'],
  fastify: ['packages/runtime/src/http'],
  'prom-client': ['packages/telemetry/src'],
  pino: ['packages/telemetry/src'],
  '@opentelemetry/': ['packages/telemetry/src'],
  postgres: ['services/sink/src/postgres'],
  undici: ['packages/avro/src/confluent'],
  testcontainers: ['packages/localstack/src'],
  croner: ['packages/define/src'],
};

interface Source {
  readonly path: string; // from the root, with slashes
  readonly room: string; // package or service name
  readonly text: string;
  readonly imports: readonly string[];
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (['node_modules', 'generated', '.turbo'].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : path.endsWith('.ts') ? [path] : [];
  });

const sources: readonly Source[] = ['packages', 'services', 'test', 'bench', 'deploy'].flatMap(top =>
  filesUnder(join(ROOT, top)).map(file => {
    const path = relative(ROOT, file).replaceAll('\\', '/');
    const [first, second] = path.split('/') as [string, string];
    const text = readFileSync(file, 'utf8');
    const room = first === 'packages' || first === 'services' ? second : first;
    return { path, room, text, imports: [...text.matchAll(IMPORT)].map(m => (m[1] ?? m[2] ?? m[3])!) };
  }),
);
const shipped = sources.filter(s => /^(packages|services)\/[^/]+\/src\//.test(s.path));
/** Code alone, without comments and text, so that a rule's words in a comment do not break the rule. */
const code = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g, '').replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''");
const breaking = (
  pattern: RegExp,
  within: readonly Source[],
  allowed: (path: string) => boolean = () => false,
): string[] => within.filter(s => !allowed(s.path) && pattern.test(code(s.text))).map(s => s.path);

describe('the house', () => {
  test('there are sources to look at, and every room has a rank', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(
      [...new Set(sources.map(s => s.room))].filter(room => room !== 'deploy' && RANKS[room] === undefined),
    ).toEqual([]);
  });

  test('imports go strictly downward in rank, only through a door', () => {
    const wrong = shipped.flatMap(s =>
      s.imports
        .filter(name => name.startsWith('@millrace/'))
        .filter(name => {
          const [, room, ...beyond] = name.split('/') as [string, string, ...string[]];
          return beyond.length > 0 || !(RANKS[room]! < RANKS[s.room]!);
        })
        .map(name => `${s.path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('nothing reaches into another room by path', () => {
    const wrong = shipped.flatMap(s =>
      s.imports
        .filter(name => name.startsWith('.'))
        .filter(name => {
          const own = s.path.split('/').slice(0, 2).join('/');
          return !join(s.path, '..', name).replaceAll('\\', '/').startsWith(`${own}/`);
        })
        .map(name => `${s.path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test.each(Object.entries(HOMES))('%s has one home', (library, homes) => {
    const wrong = shipped.filter(
      s =>
        s.imports.some(
          name => name === library || name.startsWith(library.endsWith('/') ? library : `${library}/`),
        ) && !homes.some(home => s.path.startsWith(`${home}/`)),
    );
    expect(wrong.map(s => s.path)).toEqual([]);
  });

  test('environment, exit and signals belong to runtime', () => {
    const outside = shipped.filter(s => !s.path.startsWith('packages/runtime/'));
    expect(breaking(/\bprocess\s*\.\s*(env|exit|exitCode)\b|process\.(on|once)\(\s*''/, outside)).toEqual([]);
  });

  test('clocks and randomness are handed in', () => {
    const allowed = (path: string): boolean =>
      path === 'packages/telemetry/src/clock.ts' || path.startsWith('packages/runtime/');
    expect(
      breaking(/\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)|\brandomUUID\(/, shipped, allowed),
    ).toEqual([]);
  });

  test('no enums, no star exports, no empty catch, no suppressed types, no utils', () => {
    expect(breaking(/^\s*(export\s+)?(const\s+)?enum\s/m, sources)).toEqual([]);
    expect(breaking(/export\s+\*/, sources)).toEqual([]);
    expect(breaking(/catch\s*(\([^)]*\))?\s*\{\s*\}/, sources)).toEqual([]);
    expect(
      sources
        .filter(s => /@ts-(ignore|nocheck|expect-error)/.test(s.text) && !s.path.endsWith('tidy.test.ts'))
        .map(s => s.path),
    ).toEqual([]);
    expect(
      sources.filter(s => /(^|\/)(utils?|helpers?|common|misc)(\.ts$|\/)/.test(s.path)).map(s => s.path),
    ).toEqual([]);
  });

  test('no file is longer than 300 lines', () => {
    expect(
      sources.filter(s => s.text.split('\n').length > 301).map(s => `${s.path} ${s.text.split('\n').length}`),
    ).toEqual([]);
  });

  test('the path of a test is the path of its file, or its folder that of the files that it looks at', () => {
    const known = new Set(shipped.map(s => s.path));
    const folders = new Set(
      [...known].flatMap(path => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))),
    );
    const wrong = sources
      .filter(s => /^(packages|services)\/[^/]+\/test\/.*\.test\.ts$/.test(s.path))
      .filter(s => !/\/test\/(tour|simulation|service)\//.test(s.path))
      .filter(s => {
        const wanted = s.path.replace('/test/', '/src/').replace(/(\.[a-z-]+)?\.test\.ts$/, '.ts');
        return !known.has(wanted) && !folders.has(wanted.replace(/\/[^/]*$/, ''));
      });
    expect(wrong.map(s => s.path)).toEqual([]);
  });
});
