import { expect, test } from "vitest";
import { Rooms } from "./rooms.js";

test("a room is there as long as it is used or something is in it, the same for all that ask", () => {
  const rooms = new Rooms();
  const room = rooms.of("a");
  expect(rooms.size).toBe(0);
  let told = 0;
  const end = room.use(() => (told += 1));
  expect(rooms.of("a")).toBe(room);
  expect(rooms.of("b")).not.toBe(room);
  room.enter(5);
  end();
  expect(rooms.of("a").bytes).toBe(5);
  const endAgain = rooms.of("a").use(() => (told += 10));
  room.leave(3);
  expect(told).toBe(10);
  endAgain();
  expect(rooms.size).toBe(1);
  room.leave(2);
  expect(rooms.size).toBe(0);
});
