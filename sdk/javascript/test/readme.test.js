// The examples of README.md do what it says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Cancelled, Fatal, InvalidArgs, Retry, RetryAfter } from "clockbox-sdk";
import { call, host, reset } from "clockbox-sdk/testing";

const page = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const source = Object.fromEntries(
  [...page.matchAll(/^#+ (.*)\n([^]*?)(?=^#+ |$(?![^]))/gm)].map(([, heading, text]) => [heading, /```js\n([^]*?)```/.exec(text)?.[1]]),
);
const asUrl = (code) => `data:text/javascript,${encodeURIComponent(code.replace(/"(clockbox-sdk[^"]*)"/g, (_, name) => `"${import.meta.resolve(name)}"`))}`;
const example = async (heading) => (await import(asUrl(source[heading]))).runner;

test("the first, and its arguments", async () => {
  assert.equal(call(await example("clockbox-sdk for JavaScript and TypeScript"), { name: "Ada", times: 2 }), "hello Ada, hello Ada");
  const backup = await example("Arguments");
  assert.deepEqual(call(backup, { folders: ["/data"], mode: "full" }), { folders: 1, mode: "full" });
  assert.throws(() => call(backup, { folders: ["/data"], mode: "half" }), InvalidArgs);
});

test("failures, progress and cancellation", async () => {
  const host = reset();
  const send = await example("Failures, progress, cancellation");
  assert.equal(call(send, { orders: ["a", "b"] }), 2);
  assert.deepEqual(host.progress, { done: 1, total: 2, note: "sending b" });
  assert.throws(() => call(send, { orders: [] }), Fatal);
  assert.throws(() => call(send, { orders: ["busy"] }), RetryAfter);
  assert.throws(() => call(send, { orders: ["lost"] }), Retry);
  host.cancelled = true;
  assert.throws(() => call(send, { orders: ["a"] }), Cancelled);
});

test("jobs and http", async () => {
  reset();
  assert.deepEqual(call(await example("Jobs"), { customers: ["ada", "bob"] }), ["mail-ada", "mail-bob"]);
  const asked = [];
  host.http = ({ url }) => {
    asked.push(url);
    return { body: { rate: 2 } };
  };
  call(await example("HTTP"), { url: "https://api.example.com/rate" });
  assert.deepEqual(asked, ["https://api.example.com/rate", "https://hooks.example.com/x"]);
  assert.deepEqual(host.lines, [{ level: "info", message: "rate", fields: { rate: "2" } }]);
});

// It brings a test of its own.
await import(asUrl(source.Tests.replace("../src/job.js", asUrl(source.State))));
