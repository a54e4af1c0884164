/** `node test/hotpath/main.ts`: counts anew, for `baseline.json`. */
import { counted } from './gate.ts';

console.log(JSON.stringify(await counted(), undefined, 2));
