export { runProgram } from './program.ts';
export { openPublisher, type Publisher, type StreamValue } from './publish/publisher.ts';
export { fileRows, type Mapping, parseMapping, type Row } from './publish/rows.ts';
export { openWorld, warmUp } from './world/open.ts';
export { prepare, type World } from './world/prepare.ts';
export { SERVICE_NAMES, type RunningService, type Services, startServices } from './world/services.ts';
export { decoded, wholeTopic } from './world/slice.ts';
export { FIRST_MODEL_VERSION } from './world/models.ts';
