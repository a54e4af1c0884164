/** The scenarios, by the numbers of the table in docs/FAULTS.md. */
import { DATABASE_SCENARIOS } from './database.ts';
import { KAFKA_SCENARIOS } from './kafka.ts';
import type { Scenario } from './scenario.ts';
import { CHANGE_SCENARIOS } from './change.ts';
import { CLIENT_SCENARIOS } from './client.ts';
import { HOSTILE_SCENARIOS } from './hostile.ts';
import { LETTER_SCENARIOS } from './letters.ts';
import { RIGHTS_SCENARIOS } from './rights.ts';
import { SERVICE_SCENARIOS } from './services.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...SERVICE_SCENARIOS,
  ...KAFKA_SCENARIOS,
  ...CLIENT_SCENARIOS,
  ...DATABASE_SCENARIOS,
  ...HOSTILE_SCENARIOS,
  ...CHANGE_SCENARIOS,
  ...LETTER_SCENARIOS,
  ...RIGHTS_SCENARIOS,
].toSorted((a, b) => (a.number || Infinity) - (b.number || Infinity));

/** @throws RangeError naming those there are */
export const scenariosNamed = (names: readonly string[]): readonly Scenario[] =>
  names.flatMap(name => {
    const found = SCENARIOS.filter(
      one => one.name === name || (one.number > 0 && String(one.number) === name),
    );
    if (found.length === 0) {
      const known = SCENARIOS.map(one => (one.number > 0 ? `${one.number} (${one.name})` : one.name));
      throw new RangeError(`there is no scenario '${name}'; there are: ${known.join(', ')}`);
    }
    return found;
  });
