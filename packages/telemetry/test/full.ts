/** Logs where nothing can be written, and says on standard error that it went on. */
import { jsonLogger } from '../src/pino.ts';

const logger = jsonLogger({ base: { service: 'full' }, level: 'info' });
for (let i = 0; i < 3; i++) logger.info({ i }, 'a line');
process.stderr.write('went on');
