export { type BatchBounds, batchBounds, type BatchLimits, DEFAULT_BATCH_LIMITS } from './batch/bounds.ts';
export { type Cost, costFit, type CostFit } from './batch/cost.ts';
export { Floats } from './batch/floats.ts';
export { goldenProblems } from './batch/golden.ts';
export { type Isolated, scoreIsolating } from './batch/isolate.ts';
export { sharingScorer } from './batch/sharing.ts';
export { modelFolders, type ModelFiles, readManifest, readModelFolder } from './folder/read.ts';
export { type Beside, engineOf, loadModel, type MakeScorer, type Model } from './load.ts';
export {
  type Golden, type InputTensor, inputWidth, type Manifest, type ModelOutput, TENSOR_TYPES, type TensorType,
} from './manifest/manifest.ts'; // prettier-ignore
export { parseManifest } from './manifest/parse.ts';
export { type OnnxOptions, onnxScorer } from './onnx/scorer.ts';
export { nearbyScorer } from './onnx/nearby.ts';
export { workerScorer } from './onnx/worker.ts';
export { inspectOnnx, NotOnnx, type OnnxFacts } from './proto/inspect.ts';
export {
  accuracy, balancedAccuracy, type Calls, callsAt, precision, recall, specificity,
} from './quality/calls.ts'; // prettier-ignore
export { type EntityRow, entityPrecisionAt } from './quality/entities.ts';
export { fairness, type GroupFairness } from './quality/fairness.ts';
export {
  averagePrecision, brierScore, calibration, type CalibrationBin, calibrationError, type Judged, precisionAt, rocAuc,
} from './quality/ranking.ts'; // prettier-ignore
export { ModelRefused } from './refused.ts';
export { type Rows, type Scored, type Scorer, ScorerLost, ScoringError } from './scorer.ts';
export { type Held, type Lease, modelSlot, type Slot } from './slot.ts';
