import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgs } from "clockbox-sdk";
import { call, reset } from "clockbox-sdk/testing";
import { runner } from "../src/job.js";

test("it greets", () => {
  const host = reset();
  assert.equal(call(runner, { name: "Ada", times: 2 }), "hello Ada, hello Ada");
  assert.deepEqual(host.lines, [{ level: "info", message: "greeting", fields: { name: "Ada" } }]);
});

test("it is not run without a name", () => {
  assert.throws(() => call(runner), InvalidArgs);
});
