import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Fatal, job } from "clockbox-sdk";
import * as jobs from "clockbox-sdk/jobs";
import * as state from "clockbox-sdk/state";
import { call, host, reset } from "clockbox-sdk/testing";
import { decode, decodeLossy, encode } from "../src/utf8.js";

beforeEach(() => reset());

test("state stays with success and goes with failure", () => {
  const count = job({ run: () => state.update("runs", (n) => n + 1, 0) });
  const fail = job({
    run() {
      state.update("runs", (n) => n + 1, 0);
      throw new Fatal("told", "to fail");
    },
  });
  assert.equal(call(count), 1);
  assert.throws(() => call(fail), Fatal);
  assert.equal(call(count), 2);
  assert.equal(decode(host.state.runs), "2");
});

test("state compares, deletes and lists", () => {
  assert.equal(state.compareAndSwap("a", undefined, encode("1")), true);
  assert.equal(state.compareAndSwap("a", encode("2"), encode("3")), false);
  state.set("b", Uint8Array.of(255));
  assert.deepEqual([state.keys(), state.keys("b")], [["a", "b"], ["b"]]);
  assert.deepEqual([state.remove("a"), state.remove("a"), state.get("a")], [true, false, undefined]);
  assert.throws(() => state.set("", Uint8Array.of()), (error) => error.kind === "invalid-key" && error.code === "invalid-key");
  assert.throws(() => state.getJson("b"), (error) => error instanceof state.StateError);
});

test("state takes text and bytes, and what is neither or no JSON is refused", () => {
  state.set("a", "ü");
  assert.deepEqual([...state.get("a")], [195, 188]);
  assert.deepEqual([state.getText("a"), state.getText("b")], ["ü", undefined]);
  assert.equal(state.compareAndSwap("a", "ü", "v"), true);
  for (const value of [5, null, { a: 1 }]) {
    assert.throws(() => state.set("a", value), (error) => error instanceof state.StateError && /text or a Uint8Array/.test(error.message));
  }
  assert.throws(() => state.setJson("a", { rate: Infinity }), /the value for "a" is not JSON: the value\.rate is Infinity/);
  assert.equal(state.getText("a"), "v");
});

test("a time to live is a number of milliseconds, and any other is refused", () => {
  for (const [ttl, shown] of [["x", '"x"'], [-1, "-1"], [NaN, "NaN"], [1n, "1"], [{}, "[object Object]"]]) {
    const message = `ttlMs is ${shown}, and is to be a number of milliseconds from 0`;
    for (const set of [() => state.setJson("a", 1, ttl), () => state.set("a", "1", ttl), () => state.compareAndSwap("a", undefined, "1", ttl)]) {
      assert.throws(set, (error) => error instanceof state.StateError && error.code === "state" && error.message === message);
    }
  }
  assert.equal(state.get("a"), undefined);
  for (const ttl of [undefined, null, 0, 1.5, Infinity]) state.setJson("a", 1, ttl);
  assert.equal(state.getJson("a"), 1);
});

test("a job that no host would take is refused here, too", () => {
  const told = (name, keys) => {
    try {
      jobs.add(name, keys);
    } catch (error) {
      assert.deepEqual([error.kind, error.code], ["invalid", "invalid-job"]);
      return error.message;
    }
    return "taken";
  };
  assert.match(told("bad name!"), /^' ' is not allowed in a job name; /);
  assert.match(told(""), /must not be empty/);
  assert.match(told("ü".repeat(65)), /130 bytes long/);
  assert.match(told("a", { triger: 1 }), /^triger: unknown key; known are: plugin, trigger, /);
  assert.match(told("a", []), /not a JSON object/);
  assert.match(told("a", { enabled: false }), /cannot be disabled/);
  assert.match(told("a", { args: { rate: NaN } }), /rate is NaN/);
  assert.equal(told("Zähler.a_b-c:d@1", { trigger: { interval: "1h" }, args: null, pool: null }), "taken");
  assert.deepEqual(host.jobs, { "Zähler.a_b-c:d@1": { trigger: { interval: "1h" }, args: null } });
  assert.throws(() => jobs.modify("Zähler.a_b-c:d@1", { allow: {} }), /^JobsError: allow: unknown key/);
});

test("jobs are added, changed and run", () => {
  jobs.add("a", { args: 1 });
  jobs.modify("a", { args: 2 });
  jobs.run("a", [3]);
  jobs.run("a");
  jobs.pause("a", "enough");
  assert.deepEqual([jobs.list(), jobs.get("a").args, jobs.get("b")], [["a"], 2, undefined]);
  assert.deepEqual(host.runs, [["a", [3]], ["a", undefined]]);
  assert.throws(() => jobs.add("a"), (error) => error.kind === "job-exists");
  jobs.add("a", {}, "ignore");
  jobs.resume("a");
  jobs.remove("a");
  assert.throws(() => jobs.remove("a"), (error) => error.code === "no-such-job");
});

test("text is UTF-8, and what is not is refused", () => {
  for (const text of ["", "plain", "50 % ü €", "🎉"]) {
    assert.deepEqual(encode(text), new TextEncoder().encode(text));
    assert.equal(decode(encode(text)), text);
  }
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
  // Each first byte, with what borders on the ranges that the second may be in, and every kind of third and fourth.
  const seconds = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  const tails = [[], [0x80], [0xbf, 0x80], [0x41], [0x80, 0xc3]];
  for (let first = 0; first < 256; first++) {
    for (const [second, tail] of seconds.flatMap((second) => tails.map((tail) => [second, tail]))) {
      const bytes = Uint8Array.from([first, second, ...tail]);
      assert.equal(decodeLossy(bytes), lossy.decode(bytes), `${bytes}`);
      let expected;
      try {
        expected = strict.decode(bytes);
      } catch {
        assert.throws(() => decode(bytes), URIError, `${bytes}`);
        continue;
      }
      assert.equal(decode(bytes), expected);
    }
  }
  assert.equal(decode(encode("ü".repeat(10_000))), "ü".repeat(10_000));
});
