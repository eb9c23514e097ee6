import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  checkLinearizability,
  linearizabilityReport,
  parseRedisHistory,
  redisStringModel,
} from "../src/index.js";

interface Line {
  readonly id: string;
  readonly verdict: "ok" | "illegal";
  readonly ops: readonly { readonly call: number }[];
}

/** A thousand histories of one key each, with the verdict on which two other checkers agree. */
const file = new URL("../fixtures/register-histories.jsonl.gz", import.meta.url);
const lines = gunzipSync(readFileSync(file))
  .toString("utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Line);
const model = redisStringModel();

describe("a thousand histories that others have judged", () => {
  test("there are legal and illegal ones among them", () => {
    const legal = lines.filter(({ verdict }) => verdict === "ok").length;
    expect({ legal, illegal: lines.length - legal }).toEqual({ legal: 580, illegal: 420 });
  });

  test("every verdict agrees", () => {
    const differing = lines.filter(
      ({ verdict, ops }) => checkLinearizability(parseRedisHistory(ops), model).verdict !== verdict,
    );
    expect(differing.map(({ id }) => id)).toEqual([]);
  });

  test("the order of the lines does not matter, since times say it all", () => {
    const differing = lines.filter(({ verdict, ops }) => {
      const history = parseRedisHistory(ops.toReversed());
      return checkLinearizability(history, model).verdict !== verdict;
    });
    expect(differing.map(({ id }) => id)).toEqual([]);
  });

  test("what makes an illegal one illegal can be read from its part alone", () => {
    for (const { id, verdict, ops } of lines) {
      if (verdict === "ok") continue;
      const result = checkLinearizability(parseRedisHistory(ops), model);
      if (result.verdict !== "illegal") throw new Error(`${id} is ${result.verdict}`);
      const part = result.part.operations.map(({ operation }) => operation);
      expect(checkLinearizability(part, model).verdict, id).toBe("illegal");
      expect(result.part.smallest, id).toBe(true);
      expect(linearizabilityReport(result, model), id).toContain("<- cannot be explained");
    }
  });
});
