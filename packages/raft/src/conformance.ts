/** The rules of a network as cases: whoever writes a transport sees which ones it keeps, under any test runner. */
export { transportConformance } from "./conformance/transport-conformance.js";
export type {
  RaftHandlers,
  TransportConformanceOptions,
  TransportEndpoint,
  TransportFactory,
  TransportWorld,
} from "./conformance/transport-factory.js";
