import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ServerContext } from "./context.js";
import { IdleClients } from "./idle-clients.js";

class FakeClient {
  readonly state = { lastActiveMs: 0 };
  isAtWork = false;
  isGone = false;

  destroy(): void {
    this.isGone = true;
  }
}

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

it("ends clients that are idle for too long, from when they were last answered on", () => {
  const [silent, waiting] = [new FakeClient(), new FakeClient()];
  const server = { clients: [silent, waiting], limits: { idleSeconds: 3 }, now: () => Date.now() };
  const idle = new IdleClients(server as unknown as ServerContext);
  waiting.isAtWork = true;
  vi.advanceTimersByTime(3000);
  expect(silent.isGone).toBe(false);
  vi.advanceTimersByTime(1000);
  expect([silent.isGone, waiting.isGone]).toEqual([true, false]);
  vi.advanceTimersByTime(60_000);
  waiting.isAtWork = false;
  vi.advanceTimersByTime(3000);
  expect(waiting.isGone).toBe(false);
  vi.advanceTimersByTime(1000);
  expect(waiting.isGone).toBe(true);
  idle.stop();
  expect(vi.getTimerCount()).toBe(0);
});
