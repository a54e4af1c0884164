export { startStack, type Stack, type StackOptions } from './stack.ts';
export { stackStatus, type StackStatus, stopStack } from './kept.ts';
export { type Choice, chooseWay } from './ways.ts';
export type { Part, Way } from './state.ts';
export { startPostgres, type PostgresDatabase } from './postgres.ts';
export { type Child, type Program, startGuarded } from './children/guard.ts';
export { isOurs } from './children/alive.ts';
export { cacheFolder, preparedOnce } from './cache/folder.ts';
export { findJava } from './java/find.ts';
