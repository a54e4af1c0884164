import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectOnnx, NotOnnx, parseManifest } from '@millrace/model';
import { MODELS_FOLDER } from '@millrace/pipelines';
import { must, type Target, textOf } from '../target.ts';
import { TROUBLE } from './avro.ts';

const filesNamed = (ending: string): readonly Uint8Array[] =>
  readdirSync(MODELS_FOLDER, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(ending))
    .map(name => readFileSync(join(MODELS_FOLDER, name)));

export const manifestTarget = async (): Promise<Target> => ({
  name: 'manifest',
  samples: filesNamed('manifest.json'),
  words: [...TROUBLE, '../', '/etc/passwd', '\\u0000', '"file":"../x.onnx"', '1e400', '-1', 'null', '[', '{'],
  bytesMax: 262_144,
  run: input => {
    let json: unknown;
    try {
      json = JSON.parse(textOf(input));
    } catch (error) {
      if (error instanceof SyntaxError) return;
      throw error;
    }
    const found = parseManifest(json);
    if ('file' in found) must(!/[/\\]|^\.\.?$/.test(found.file), 'the file lies in the folder');
  },
});

/** The protobuf of a model, before an engine sees it. */
export const onnxTarget = async (): Promise<Target> => {
  const samples = filesNamed('.onnx').map(bytes => bytes.subarray(0, 65_536));
  // The smallest models whole, so that most of what is tried is well formed up to the change.
  const small = Buffer.from('08083a150a130a01781201791a016e22035265 6c753a00'.replaceAll(' ', ''), 'hex');
  return {
    name: 'onnx',
    samples: [...samples, small],
    bytesMax: 65_536,
    run: input => {
      try {
        inspectOnnx(input);
      } catch (error) {
        if (!(error instanceof NotOnnx)) throw error;
      }
    },
  };
};
