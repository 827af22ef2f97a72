import { expect, test } from "vitest";
import { commandsOf, trimmed } from "../src/authored";

test("bare lines are all run", () => {
  expect(commandsOf("SET a 1\nGET a\n")).toEqual(["SET a 1", "GET a"]);
});

test("a transcript gives its prompted lines", () => {
  expect(commandsOf('redis> SET a 1\nOK\nredis> GET a\n"1"')).toEqual(["SET a 1", "GET a"]);
  expect(commandsOf("127.0.0.1:6379[2]> PING\nPONG")).toEqual(["PING"]);
  expect(commandsOf("127.0.0.1:6379(TX)> PING\nQUEUED")).toEqual(["PING"]);
});

test("the indentation that markup brings goes", () => {
  expect(trimmed("\n    SET a 1\n      GET a\n  ")).toBe("SET a 1\n  GET a");
  expect(trimmed("")).toBe("");
});
