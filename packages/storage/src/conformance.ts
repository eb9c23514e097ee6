/** Rules as cases: whoever writes a storage or a state machine sees which ones it keeps, under any test runner. */
export { CaseRandom } from "./conformance/case-random.js";
export { check, checkEqual, checkFails } from "./conformance/check.js";
export { ConformanceError, conformanceCase, withinMs } from "./conformance/conformance-case.js";
export type { ConformanceCase, Settle, Trial } from "./conformance/conformance-case.js";
export { storageConformance } from "./conformance/storage-conformance.js";
export type {
  ArmedCrash,
  OpenStorage,
  StorageConformanceOptions,
  StorageFactory,
  UnsyncedFate,
} from "./conformance/storage-factory.js";
export { stateMachineConformance } from "./conformance/state-machine-conformance.js";
export type {
  StateMachineConformanceOptions,
  StateMachineFactory,
} from "./conformance/state-machine-conformance.js";
