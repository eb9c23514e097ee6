import { patch, serverClass } from "./patch.js";

type Send = (...args: never[]) => Promise<{ readonly type: string }>;

patch<Send>(
  await serverClass("forward/leader-link.js", "LeaderLink"),
  "send",
  (send) =>
    async function sendAndForget(this: object, ...args) {
      const outcome = await send.apply(this, args);
      return outcome.type === "unknown" ? { ...outcome, type: "refused" } : outcome;
    },
);
