import type { SessionProblem } from "@seshat/common";

/** Answers in place of a response: the entry was applied and had no effect. */
export class SessionRefusal {
  readonly problem: SessionProblem;

  constructor(problem: SessionProblem) {
    this.problem = problem;
  }
}
