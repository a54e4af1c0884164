import { join } from 'node:path';
import { ofSet, type Pipeline } from '@millrace/define';
import { credit } from './credit.ts';
import { fraud } from './fraud.ts';
import { loans } from './loans.ts';

export { credit } from './credit.ts';
export { fraud } from './fraud.ts';
export { loans } from './loans.ts';
export { EXAMPLES_FOLDER, type Portfolio, portfolioNamed, type PortfolioPart, portfolios } from './portfolios.ts'; // prettier-ignore
export {
  FRAUD_SIMULATION,
  type FraudSimulation,
  simulateFraud,
  type SimulatedEvent,
} from './simulate/fraud.ts';
export { type Random as SeededRandom, seededRandom } from './simulate/random.ts';

/** Models that ship: `<name>/<version>/`. */
export const MODELS_FOLDER = join(import.meta.dirname, '../models');

/** Every pipeline that ships. */
export const pipelines: readonly Pipeline[] = [fraud, credit, loans];

/**
 * The pipelines of these names, all without names. `fraud@2` is the pipeline with that version of its feature set.
 * @throws RangeError naming those there are
 */
export const pipelinesNamed = (
  names?: readonly string[],
  among: readonly Pipeline[] = pipelines,
): readonly Pipeline[] => {
  if (names === undefined) return among;
  return names.map(text => {
    const [name, version] = text.split('@');
    const found = among.find(p => p.name === name);
    if (found === undefined)
      throw new RangeError(`there is no pipeline '${name}'; there are: ${among.map(p => p.name).join(', ')}`);
    return version === undefined ? found : ofSet(found, Number(version));
  });
};
