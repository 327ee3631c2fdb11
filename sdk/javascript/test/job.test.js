import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { args, Cancelled, context, Fatal, InvalidArgs, job, log, progress, Retry, RetryAfter } from "clockbox-sdk";
import { call, host, reset } from "clockbox-sdk/testing";

beforeEach(() => reset());

const refusal = (defined, given) => {
  try {
    call(defined, given);
  } catch (error) {
    assert.ok(error instanceof InvalidArgs, error.stack);
    return error.message;
  }
  assert.fail("it was not refused");
};

test("arguments are checked and told by their place", () => {
  const greet = job({
    args: { name: args.string(), times: args.integer({ default: 1 }), tags: args.optional(args.list(args.string())) },
    run: ({ name, times, tags }) => [name, times, tags ?? "none"],
  });
  assert.deepEqual(call(greet, { name: "a" }), ["a", 1, "none"]);
  assert.deepEqual(call(greet, { name: "a", times: 2, tags: ["x"] }), ["a", 2, ["x"]]);
  assert.equal(refusal(greet), "args.name: missing");
  assert.equal(refusal(greet, { name: 5 }), "args.name: expected a string, found 5");
  assert.equal(refusal(greet, { name: "a", times: 1.5 }), "args.times: expected an integer, found 1.5");
  assert.equal(refusal(greet, { name: "a", tags: ["x", null] }), "args.tags[1]: expected a string, found null");
  assert.equal(refusal(greet, { nam: "a" }), "args.nam: unknown; known are: name, times, tags");
  assert.equal(refusal(greet, [1]), "args: expected an object, found [1]");
});

test("types nest, and one may stand for all arguments", () => {
  const pages = job({
    args: args.list(args.object({ url: args.string(), mode: args.choice(["fast", "safe"], { default: "safe" }) })),
    run: (list) => list.map((page) => page.mode),
  });
  assert.deepEqual(call(pages, [{ url: "u" }, { url: "u", mode: "fast" }]), ["safe", "fast"]);
  assert.equal(refusal(pages, [{ url: "u", mode: "x" }]), 'args[0].mode: expected "fast" or "safe", found "x"');
  const sizes = job({ args: args.record(args.number()), run: (all) => Object.values(all).length });
  assert.equal(call(sizes, { a: 1, b: 2.5 }), 2);
  assert.equal(refusal(sizes, { a: "1" }), 'args.a: expected a number, found "1"');
});

test("a default that does not fit its type is refused when the module is loaded", () => {
  const refused = (make, message) => assert.throws(make, (error) => error instanceof TypeError && error.message === message);
  refused(() => args.integer({ default: "x" }), 'args: default: expected an integer, found "x"');
  refused(() => args.choice(["a"], { default: "z" }), 'args: default: expected "a", found "z"');
  refused(() => args.list(args.string(), { default: ["a", 1] }), "args: default[1]: expected a string, found 1");
  refused(() => args.string({ default: undefined }), "args: default: expected a string, found undefined; optional(type) is what may be left out");
  const fitting = job({
    args: { list: args.list(args.integer(), { default: [1] }), any: args.any({ default: "x" }), none: args.any(), mode: args.choice(["a"], { default: "a" }) },
    run: (all) => all,
  });
  assert.deepEqual(call(fitting, {}), { list: [1], any: "x", mode: "a" });
});

test("output is JSON, and undefined or null are none", () => {
  assert.equal(job({ run: () => ({ text: "ü" }) }).run("null"), '{"text":"ü"}');
  assert.equal(job({ run: () => undefined }).run(""), undefined);
  assert.equal(job({ run: () => null }).run("{}"), undefined);
  for (const output of [() => 1, 1n]) {
    assert.throws(() => call(job({ run: () => output })), (error) => error instanceof Fatal && error.code === "bad-output");
  }
  const refused = (output) => {
    try {
      call(job({ run: () => output }));
    } catch (error) {
      return error.message;
    }
  };
  assert.equal(refused({ rates: [1, NaN] }), "the output is not JSON: output.rates[1] is NaN, which JSON has no word for");
  assert.match(refused({ seen: new Map([["a", 1]]) }), /: output\.seen is a Map, .*Object\.fromEntries/);
  assert.match(refused(new Set([1])), /: output is a Set, /);
  assert.match(refused([Uint8Array.of(1)]), /: output\[0\] is bytes, /);
  assert.match(refused(() => 1), /: output is a function, /);
  assert.deepEqual(call(job({ run: () => ({ at: new Date(0), none: undefined, list: [null, "NaN"] }) })), {
    at: "1970-01-01T00:00:00.000Z",
    list: [null, "NaN"],
  });
  assert.throws(() => call(job({ run: async () => 1 })), (error) => error instanceof Fatal && error.code === "async");
});

test("a failure becomes the case of the contract", () => {
  const thrown = (error) => {
    try {
      job({ run: () => { throw error; } }).run("null"); // prettier-ignore
    } catch (jobError) {
      return jobError;
    }
  };
  const val = { code: "c", message: "m" };
  assert.deepEqual(thrown(new Retry("c", "m")), { tag: "retry", val });
  assert.deepEqual(thrown(new RetryAfter(20.4, "c", "m")), { tag: "retry-after", val: { failure: val, delayMs: 20 } });
  assert.deepEqual(thrown(new Fatal("c", "m")), { tag: "fatal", val });
  assert.deepEqual(thrown(new Cancelled("m")), { tag: "cancelled", val: { code: "cancelled", message: "m" } });
  assert.deepEqual(thrown(new InvalidArgs("m")), { tag: "invalid-args", val: { code: "invalid-args", message: "m" } });
  assert.deepEqual(thrown(new TypeError("x")), { tag: "retry", val: { code: "error", message: "TypeError: x" } });
  assert.match(host.lines[0].message, /^TypeError: x\n.*job\.test\.js/s);
  // One text is the message, and the code the kind.
  assert.deepEqual(thrown(new Retry("m")), { tag: "retry", val: { code: "retry", message: "m" } });
  assert.deepEqual(thrown(new Fatal("m", { cause: 1 })), { tag: "fatal", val: { code: "fatal", message: "m" } });
  assert.equal(new Fatal("m", { cause: 1 }).cause, 1);
  assert.deepEqual(thrown(new RetryAfter(5, "m")).val.failure, { code: "retry-after", message: "m" });
  assert.deepEqual(thrown(new Fatal()).val, { code: "fatal", message: "no reason was given" });
  assert.deepEqual(thrown(new Fatal(404, 5)).val, { code: "404", message: "5" });
  assert.deepEqual(thrown(new InvalidArgs()).val, { code: "invalid-args", message: "no reason was given" });
  assert.equal(thrown(new RetryAfter(Infinity, "m")).val.delayMs, Number.MAX_SAFE_INTEGER);
  assert.throws(() => new RetryAfter(-1, "c", "m"), RangeError);
  assert.throws(() => job({ run: () => 1 }).call("{"), /not JSON/);
});

test("facts, log, progress and cancellation", () => {
  reset({ attempt: 3, config: { key: "value" } });
  const facts = job({
    run() {
      log.warn("at", { attempt: context.attempt(), list: [1], note: undefined, none: null, big: { n: 1n }, map: new Map([["a", 1]]) });
      progress.report(1, 2, "half");
      context.checkCancelled();
      return [context.config("key"), context.config("x") === undefined, context.cause(), context.deadlineMs()];
    },
  });
  assert.deepEqual(call(facts), ["value", true, "trigger", 60000]);
  assert.deepEqual(host.lines, [{ level: "warn", message: "at", fields: { attempt: "3", list: "[1]", none: "null", big: "[object Object]", map: '{"a":1}' } }]);
  assert.deepEqual(host.progress, { done: 1, total: 2, note: "half" });
  assert.throws(() => progress.report(-1), RangeError);
  progress.report(3, 0);
  assert.deepEqual(host.progress, { done: 3, total: null, note: null });
  host.cancelled = true;
  assert.throws(() => call(facts), Cancelled);
});
