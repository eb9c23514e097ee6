/** For tests of programs that are started as a user starts them. */
export type { ProgramOutcome } from "./testing/run-program.js";
export { inDirectory, runProgram } from "./testing/run-program.js";
