import { expect, test } from '@jest/globals';
import { fraud } from '@millrace/pipelines';
import { streamsOf } from '../../src/event/target.ts';
import { openApiDocument } from '../../src/openapi/document.ts';

type Schema = { readonly properties: object; readonly required: readonly string[] };
const document = openApiDocument(streamsOf([fraud]), '1.0.0') as {
  readonly openapi: string;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

test('every reference of the document leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    m => m[1]!,
  );
  expect(references.length).toBeGreaterThan(10);
  for (const name of references) expect(Object.keys(document.components.schemas)).toContain(name);
});

test('schemas say what a client sends: no lineage, and an event id only where it cannot be made up', () => {
  const { 'fraud.transactions': transactions, 'fraud.labels': labels } = document.components.schemas;
  expect(document.openapi).toBe('3.1.0');
  expect(transactions!.required).toEqual(['txAt', 'customerId', 'terminalId', 'amount']);
  expect(labels!.required).toEqual(['eventId', 'txAt', 'knownAt', 'customerId', 'terminalId', 'isFraud']);
  expect(Object.keys(transactions!.properties)).toEqual(
    expect.arrayContaining(['eventId', 'revision', 'amount']),
  );
  expect(Object.keys(transactions!.properties)).not.toContain('lineage');
});
