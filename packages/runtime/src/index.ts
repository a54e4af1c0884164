export { type CommandIo, runCommand } from './command.ts';
export type { Component } from './component.ts';
export {
  choiceField,
  type ConfigOf,
  type Field,
  fileField,
  listField,
  Mistake,
  numberField,
  optional,
  secretField,
  type Spec,
  structuredField,
  switchField,
  TextFile,
  textField,
  urlField,
  usual,
} from './config/field.ts';
export {
  ConfigError,
  configHelp,
  configPrint,
  type ConfigSources,
  flagOf,
  readConfig,
} from './config/read.ts';
export { databaseConnection, databaseFields } from './connections/database.ts';
export { kafkaConnection, kafkaFields } from './connections/kafka.ts';
export { registryConnection, registryFields } from './connections/registry.ts';
export type { TlsOptions } from './connections/tls.ts';
export {
  type Dependency,
  isRetriable,
  Outage,
  type OutageOptions,
  type RideOptions,
  START_WAIT_MS_MAX,
} from './outage.ts';
export { SERVICE_START } from './launch.ts';
export { Readiness } from './readiness.ts';
export { type Running, startAll, type StartOptions, STOP_DEADLINE_MS, stopAll } from './start.ts';
export { type ProcessContext, type ProcessOptions, runProcess } from './process.ts';
export { type Problem, sendProblem } from './http/problem.ts';
export {
  type HttpApp,
  type HttpLimits,
  type HttpReply,
  type HttpRequest,
  HTTP_LIMITS,
  httpServer,
  type HttpServer,
  type HttpServerOptions,
  type Routes,
} from './http/server.ts';
