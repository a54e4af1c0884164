/** What a consumer would write that wants scores alone: no vector, no rules, and of lineage the vector's place. */
import type { BenchWorld } from '../world/open.ts';

const text = (name: string) => ({ name, type: 'string' });

const schemaOf = (outputs: readonly string[]): string =>
  JSON.stringify({
    type: 'record',
    name: 'Score',
    namespace: 'io.millrace.bench',
    fields: [
      text('eventId'),
      text('entity'),
      {
        name: 'outputs',
        type: { type: 'record', name: 'Outputs', fields: outputs.map(name => ({ name, type: 'float' })) },
      },
      text('modelVersion'),
      text('modelDigest'),
      { name: 'vectorOffset', type: 'long' },
    ],
  });

/** Registers it for this topic. */
export const scoresSchema = async (
  { registry, predictionSchema }: BenchWorld,
  topic: string,
): Promise<{ readonly outSchema: string; readonly outSchemaId: number }> => {
  const { fields } = JSON.parse(predictionSchema) as {
    readonly fields: readonly { readonly name: string; readonly type: { readonly fields: readonly { readonly name: string }[] } }[];
  };
  const outSchema = schemaOf(fields.find(({ name }) => name === 'outputs')!.type.fields.map(({ name }) => name));
  return { outSchema, outSchemaId: await registry.register(`${topic}-value`, outSchema) };
}; // prettier-ignore
