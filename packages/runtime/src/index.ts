export { type CommandIo, runCommand } from './command.ts';
export type { Component } from './component.ts';
export {
  choiceField,
  type ConfigOf,
  type Field,
  listField,
  Mistake,
  numberField,
  optional,
  secretField,
  type Spec,
  structuredField,
  switchField,
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
