/**
 * A small blocking HTTP client. Needs the right `allow.http`, and a world that imports clockbox:http/client. Redirects are not
 * followed: their target may be another origin. A status such as 404 is an answer like any other.
 */
import { send } from "#host/http";
import { Failure } from "./errors.js";
import { toJson } from "./json.js";
import { refusal } from "./refusal.js";
import { decodeLossy, encode } from "./utf8.js";

const CODES = {
  "invalid-request": "invalid-request",
  denied: "http-denied",
  dns: "dns",
  connect: "connect",
  timeout: "timeout",
  tls: "tls",
  "too-large": "too-large",
  protocol: "protocol",
};
// What is wrong with a request is mostly wrong with the arguments that it was made of.
const TAGS = { "invalid-request": "invalid-args", denied: "fatal", "too-large": "fatal" };

/** No answer was had. Thrown on, it asks for a retry only where that can help. */
export class HttpError extends Failure {
  constructor(kind, message, options) {
    super(TAGS[kind] ?? "retry", CODES[kind] ?? "protocol", message, options);
    this.kind = kind;
  }
}

/** What came back. */
export class Response {
  constructor(status, headers, body) {
    this.status = status;
    this.ok = status >= 200 && status < 300;
    this.body = body;
    this.headers = {};
    for (const { name, value } of headers) {
      const key = name.toLowerCase();
      this.headers[key] = Object.hasOwn(this.headers, key) ? `${this.headers[key]}, ${value}` : value;
    }
  }

  text() {
    return decodeLossy(this.body);
  }

  json() {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      throw new HttpError("protocol", `the body is not JSON: ${error.message}`, { cause: error });
    }
  }
}

/** Sends a request and waits for the whole answer. */
export function request(url, { method = "GET", headers = {}, body, timeoutMs, maxBody } = {}) {
  const [bytes, type] = bodyOf(body);
  const sent = Object.entries(headers).map(([name, value]) => ({ name, value: String(value) }));
  if (type !== undefined && !sent.some(({ name }) => name.toLowerCase() === "content-type")) {
    sent.push({ name: "content-type", value: type });
  }
  try {
    const { status, headers, body } = send({
      method,
      url: String(url),
      headers: sent,
      body: bytes,
      timeoutMs: whole("timeoutMs", timeoutMs),
      maxBody: whole("maxBody", maxBody),
    });
    return new Response(status, headers, body instanceof Uint8Array ? body : Uint8Array.from(body));
  } catch (error) {
    const refused = error instanceof Failure ? undefined : refusal(error);
    if (refused === undefined) throw error;
    throw new HttpError(refused.tag, refused.val, { cause: error });
  }
}

function bodyOf(body) {
  if (body === undefined) return [new Uint8Array()];
  if (body instanceof Uint8Array) return [body];
  if (typeof body === "string") return [encode(body)];
  let text;
  try {
    text = toJson(body, "the body");
  } catch (error) {
    throw new HttpError("invalid-request", `the body is not JSON: ${error.message}`, { cause: error });
  }
  return [encode(text), "application/json"];
}

function whole(name, count) {
  if (count === undefined) return null;
  if (!(count >= 0)) throw new HttpError("invalid-request", `${name} is ${count}, and is to be a number from 0`);
  return Math.min(Math.round(count), Number.MAX_SAFE_INTEGER);
}

export const get = (url, options) => request(url, { ...options, method: "GET" });
export const post = (url, body, options) => request(url, { ...options, body, method: "POST" });
