// What stands in for what the engine inside the sandbox lacks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { job } from "clockbox-sdk";
import * as http from "clockbox-sdk/http";
import * as random from "clockbox-sdk/random";
import { call, reset } from "clockbox-sdk/testing";
import { generator } from "../src/generator.js";
import { TextDecoder as Decoder, TextEncoder as Encoder } from "../src/text-coding.js";

test("random numbers follow from their text alone, and are spread evenly", () => {
  const draws = (text, count) => Array.from({ length: count }, generator(text));
  assert.deepEqual(draws("job run 1", 5), draws("job run 1", 5));
  const firsts = new Set(["job run 1", "job run 2", "job ruo 1", "", "\0", "\0\0"].map((text) => draws(text, 1)[0]));
  assert.equal(firsts.size, 6);
  const many = draws("many", 10_000);
  assert.ok(many.every((number) => number >= 0 && number < 1));
  const tenths = many.reduce((counts, number) => counts.with(Math.floor(number * 10), counts[Math.floor(number * 10)] + 1), Array(10).fill(0));
  assert.ok(tenths.every((count) => count > 850 && count < 1150), `${tenths}`);
  // The first number of runs whose ids are alike.
  const mean = Array.from({ length: 1000 }, (_, run) => draws(`job 00000${run} 1`, 1)[0]).reduce((sum, number) => sum + number) / 1000;
  assert.ok(Math.abs(mean - 0.5) < 0.05, `${mean}`);
});

test("random bytes are the host's", () => {
  assert.deepEqual([random.bytes(0).length, random.bytes(33).length], [0, 33]);
  assert.notDeepEqual(random.bytes(16), random.bytes(16));
  const ids = Array.from({ length: 50 }, random.uuid);
  assert.ok(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)), `${ids}`);
  assert.equal(new Set(ids).size, 50);
  for (const count of [-1, 1.5, NaN]) assert.throws(() => random.bytes(count), RangeError);
});

test("text is coded as by the platform's own", () => {
  const bom = Uint8Array.of(0xef, 0xbb, 0xbf, 0x41);
  for (const options of [{}, { ignoreBOM: true }, { fatal: true }]) {
    for (const bytes of [bom, bom.buffer, new DataView(bom.buffer, 3), new Uint8Array(), undefined]) {
      assert.equal(new Decoder("UTF-8", options).decode(bytes), new TextDecoder("UTF-8", options).decode(bytes));
    }
  }
  assert.equal(new Decoder().decode(Uint8Array.of(0x41, 0xff)), "A\ufffd");
  assert.throws(() => new Decoder("utf8", { fatal: true }).decode(Uint8Array.of(0xff)), TypeError);
  assert.throws(() => new Decoder("latin1"), RangeError);
  assert.throws(() => new Decoder().decode("text"), TypeError);
  assert.throws(() => new Decoder().decode(bom, { stream: true }), TypeError);
  for (const text of ["", "ü 🎉", undefined, 5]) assert.deepEqual(new Encoder().encode(text), new TextEncoder().encode(text));
  assert.deepEqual([new Encoder().encoding, new Decoder().encoding], ["utf-8", "utf-8"]);
});

test("a job in a test has the globals of the sandbox, and the test those of Node.js", () => {
  const told = (run) => {
    try {
      return call(job({ run }));
    } catch (error) {
      return `${error.code}: ${error.message}`;
    }
  };
  const host = reset();
  assert.equal(told(() => fetch("x")), "error: ReferenceError: fetch is not defined; the sandbox has none: `http` of clockbox-sdk asks the web");
  assert.match(told(() => setTimeout(() => 1)), /^error: ReferenceError: setTimeout is not defined; the sandbox has none: see /);
  assert.equal(told(() => [typeof process, typeof Buffer, typeof TextEncoder, typeof console, typeof performance].join()), "undefined,undefined,function,object,object");
  assert.equal(told(() => nowhere), "error: ReferenceError: nowhere is not defined");
  host.http = ({ url }) => ({ body: new URL(url).host });
  assert.equal(told(() => http.get("https://x.example/a").text() + typeof URL), "x.exampleundefined");
  assert.equal([typeof process, typeof URL, typeof fetch, new URL("https://x.example").host].join(), "object,function,function,x.example");
});
