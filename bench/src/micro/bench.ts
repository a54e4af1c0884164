/** `bench micro`: what each piece of the hot paths costs by itself, in this process, without Kafka and registry. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fraud } from '@millrace/pipelines';
import { customersOf } from '../feature/pipeline.ts';
import type { OpenOptions } from '../world/open.ts';
import { avroPieces } from './avro.ts';
import { batchPieces } from './batches.ts';
import { entityOf, passedPayments } from './passed.ts';
import { Meter, type Piece } from './piece.ts';
import { type MicroResult, microResult, type MicroRound } from './result.ts';
import { scoringPiece } from './scoring.ts';
import { servicePiece } from './service.ts';
import { chunksWritten, windowsFolded } from './windows.ts';

export interface MicroOptions extends Pick<OpenOptions, 'signal' | 'say'> {
  readonly records: number;
  readonly rounds: number;
}

const TOPIC = { topic: 'micro', partition: 0 } as const;

const piecesOf = ({ records, signal }: MicroOptions): readonly Piece[] => {
  const passed = passedPayments(records);
  const pool = passed.rows.map((row, i) => {
    const value = passed.vectors.encode(passed.values[i]!);
    return { ...TOPIC, key: Buffer.from(entityOf(row)), value };
  });
  const customers = customersOf(1);
  return [
    ...batchPieces(pool, records),
    ...avroPieces(passed, records),
    windowsFolded('windows of customers folded', customers, records),
    windowsFolded('all windows of fraud folded', fraud, records),
    chunksWritten('chunks of state written', customers, records),
    servicePiece('feature service, one key', customers, records, signal),
    scoringPiece('inference service', fraud, records, signal),
  ];
};

/** So that no piece pays for what another has left behind. */
const garbageCollector = (): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
};

/** Pieces take turns, so that whatever disturbs a round disturbs all of them. The first round warms up. */
export const measure = async (
  pieces: readonly Piece[],
  { records, rounds, signal, say }: MicroOptions,
): Promise<readonly MicroRound[]> => {
  const collectGarbage = garbageCollector();
  const done: MicroRound[] = [];
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const piece of pieces) {
      signal.throwIfAborted();
      collectGarbage();
      const meter = new Meter();
      const wrong = await piece.round(meter);
      done.push({ piece: piece.name, round, us: meter.us / records, wrong });
    }
  }
  return done;
};

export const benchMicro = async (options: MicroOptions): Promise<MicroResult> =>
  microResult(options.records, await measure(piecesOf(options), options));
