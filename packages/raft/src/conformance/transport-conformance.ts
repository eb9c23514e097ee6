import type { RaftTypeConfig } from "@seshat/common";
import { checkInteger } from "@seshat/common";
import type { ConformanceCase } from "@seshat/storage/conformance";
import { CaseRandom, conformanceCase, withinMs } from "@seshat/storage/conformance";
import { systemRuntime } from "../runtime/clock.js";
import { ANSWER_RULES, DELIVERY_RULES } from "./delivery-rules.js";
import { KEPT_ORDER_RULE, LINK_RULES, ORDER_RULES } from "./link-rules.js";
import { TransportBench } from "./transport-bench.js";
import type { TransportConformanceOptions, TransportFactory } from "./transport-factory.js";

/**
 * The rules of `RaftNetwork` as cases for any test runner: each starts nodes of its own, and fails with a `ConformanceError` that says
 * which rule is broken and how. No node of Raft runs in them: what arrives is looked at as it is.
 *
 * @throws {InvalidValueError} when an option is none.
 */
export function transportConformance<C extends RaftTypeConfig>(
  factory: TransportFactory<C>,
  {
    rounds = 50,
    largeBytes = 1024 * 1024,
    keepsOrder = true,
    patienceMs = 100,
    timeoutMs = 30_000,
  }: TransportConformanceOptions = {},
): readonly ConformanceCase[] {
  for (const [name, value] of Object.entries({ rounds, largeBytes, patienceMs, timeoutMs })) {
    checkInteger(`options.${name}`, value, 1);
  }
  const runtime = factory.runtime ?? systemRuntime;
  const settle = factory.settle ?? withinMs(timeoutMs);
  const settings = { runtime, rounds, largeBytes, patienceMs };
  const rules = [
    ...DELIVERY_RULES,
    ...ANSWER_RULES,
    ...ORDER_RULES,
    ...(keepsOrder ? [KEPT_ORDER_RULE] : []),
    ...LINK_RULES,
  ];
  return rules.map(({ group, name, run }, i) =>
    conformanceCase(group, name, settle, () => {
      const bench = new TransportBench<C>(factory, new CaseRandom(i), settings);
      return { body: () => run(bench), cleanUp: () => bench.dispose() };
    }),
  );
}
