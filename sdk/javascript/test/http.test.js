import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { job } from "clockbox-sdk";
import * as http from "clockbox-sdk/http";
import { call, host, reset } from "clockbox-sdk/testing";
import { decode } from "../src/utf8.js";

beforeEach(() => reset());

test("a request reaches the answer as it was built", () => {
  let asked;
  host.http = (request) => {
    asked = request;
    return { status: 201, headers: { "X-Kind": "Answer" }, body: { got: decode(request.body) } };
  };
  const response = http.post("https://x.example?q=ü", { a: 1 }, { headers: { "X-Asked": "yes" }, timeoutMs: 1500.4, maxBody: 100 });
  assert.deepEqual([asked.method, asked.url], ["POST", "https://x.example?q=ü"]);
  assert.deepEqual(asked.headers, { "x-asked": "yes", "content-type": "application/json" });
  assert.deepEqual([asked.timeoutMs, asked.maxBody], [1500, 100]);
  assert.deepEqual([response.status, response.ok, response.headers["x-kind"]], [201, true, "Answer"]);
  assert.deepEqual(response.json(), { got: '{"a":1}' });
});

test("text and bytes go as they are, and a content type of the job's own stays", () => {
  host.http = (request) => ({ body: [request.headers["content-type"] ?? null, [...request.body]] });
  assert.deepEqual(http.post("https://x.example", "ü").json(), [null, [195, 188]]);
  assert.deepEqual(http.post("https://x.example", Uint8Array.of(255)).json(), [null, [255]]);
  assert.deepEqual(http.get("https://x.example").json(), [null, []]);
  assert.deepEqual(http.post("https://x.example", 1, { headers: { "Content-Type": "x/y" } }).json(), ["x/y", [49]]);
});

test("any status is an answer, and text is what the body says", () => {
  host.http = () => ({ status: 404, body: Uint8Array.of(0x6e, 0xff) });
  const response = http.get("https://x.example");
  assert.deepEqual([response.status, response.ok, response.text()], [404, false, "n\ufffd"]);
  assert.throws(() => response.json(), (error) => error instanceof http.HttpError && error.code === "protocol");
});

test("several headers of one name are joined", () => {
  const headers = [["a", "1"], ["__proto__", "2"], ["A", "3"]].map(([name, value]) => ({ name, value })); // prettier-ignore
  assert.equal(new http.Response(200, headers, new Uint8Array()).headers.a, "1, 3");
});

test("an error keeps its code, and asks for a retry only where that can help", () => {
  const failure = (kind) => {
    host.http = () => {
      throw new http.HttpError(kind, "because");
    };
    try {
      job({ run: () => http.get("https://x.example").status }).run("null");
    } catch (jobError) {
      return `${jobError.tag} ${jobError.val.code}: ${jobError.val.message}`;
    }
  };
  assert.equal(failure("invalid-request"), "invalid-args invalid-request: because");
  assert.equal(failure("denied"), "fatal http-denied: because");
  assert.equal(failure("too-large"), "fatal too-large: because");
  for (const kind of ["dns", "connect", "timeout", "tls", "protocol"]) assert.equal(failure(kind), `retry ${kind}: because`);
  assert.equal(failure("other"), "retry protocol: because");
});

test("what cannot be asked is refused, and without an answer a request is denied", () => {
  const kind = (ask) => {
    try {
      ask();
    } catch (error) {
      assert.ok(error instanceof http.HttpError, error.stack);
      return error.kind;
    }
  };
  assert.equal(kind(() => http.get("https://x.example")), "denied");
  host.http = () => ({ body: "1234" });
  assert.equal(kind(() => http.get("https://x.example", { maxBody: 3 })), "too-large");
  assert.equal(kind(() => http.get("https://x.example", { maxBody: 4 })), undefined);
  assert.equal(kind(() => http.get("https://x.example", { timeoutMs: -1 })), "invalid-request");
  assert.equal(kind(() => http.post("https://x.example", 1n)), "invalid-request");
  assert.equal(kind(() => http.post("https://x.example", () => 1)), "invalid-request");
  // A mistake of the test itself stays one.
  host.http = () => undefined.status;
  assert.throws(() => call(job({ run: () => http.get("https://x.example") })), /TypeError/);
});
