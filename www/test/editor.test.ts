import { describe, expect, test } from "vitest";
import { apply, editOf, type Edit } from "../src/editor";

/** A line with `|` where the cursor is. */
function run(edit: Edit, drawn: string, yank = ""): string {
  const cursor = drawn.indexOf("|");
  const done = apply(edit, { text: drawn.replace("|", ""), cursor }, yank);
  return `${done.text.slice(0, done.cursor)}|${done.text.slice(done.cursor)}`;
}

describe("moving", () => {
  test.each<[Edit, string, string]>([
    ["home", "set a| b", "|set a b"],
    ["end", "set| a b", "set a b|"],
    ["back", "a|b", "|ab"],
    ["back", "|ab", "|ab"],
    ["forward", "a|b", "ab|"],
    ["forward", "|😀b", "😀|b"],
    ["back", "😀|b", "|😀b"],
    ["wordBack", "set user:1 |x", "set user:|1 x"],
    ["wordForward", "set| user:1", "set user|:1"],
  ])("%s of %s", (edit, from, to) => expect(run(edit, from)).toBe(to));
});

describe("cutting", () => {
  test.each<[Edit, string, string]>([
    ["deleteBack", "ab|c", "a|c"],
    ["deleteBack", "😀|", "|"],
    ["deleteForward", "a|bc", "a|c"],
    ["killEnd", "set |a b", "set |"],
    ["killStart", "set |a b", "|a b"],
    ["killSpaceBack", "set user:1|", "set |"],
    ["killWordBack", "set user:1|", "set user:|"],
    ["killWordForward", "set| user:1", "set|:1"],
    ["transpose", "ab|", "ba|"],
    ["transpose", "a|bc", "ba|c"],
    ["transpose", "|ab", "|ab"],
  ])("%s of %s", (edit, from, to) => expect(run(edit, from)).toBe(to));

  test("what was cut can be put back", () => {
    const { killed } = apply("killEnd", { text: "set a b", cursor: 4 });
    expect(killed).toBe("a b");
    expect(run("yank", "get |", killed)).toBe("get a b|");
  });
});

test("keys of others are left alone", () => {
  const none = { ctrlKey: false, altKey: false, metaKey: false, shiftKey: false };
  expect(editOf({ ...none, key: "a" })).toBeNull();
  expect(editOf({ ...none, ctrlKey: true, key: "A" })).toBe("home");
  expect(editOf({ ...none, ctrlKey: true, shiftKey: true, key: "K" })).toBeNull();
  expect(editOf({ ...none, altKey: true, key: "d" })).toBe("killWordForward");
  expect(editOf({ ...none, metaKey: true, key: "a" })).toBeNull();
});
