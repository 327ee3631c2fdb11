/**
 * A small blocking HTTP client. Needs the right `allow.http`, and a world that imports wasi:http (see `wit`). A status
 * such as 404 is an answer like any other.
 */
import { send } from "#host/http";
import { Failure, InvalidArgs } from "./errors.js";
import { refusal } from "./refusal.js";
import { decode, encode } from "./utf8.js";

/** No answer was had. Thrown on, it asks for a retry, unless the request is not allowed. */
export class HttpError extends Failure {
  constructor(kind, message, options) {
    super(kind === "HTTP-request-denied" ? "fatal" : "retry", kind === "HTTP-request-denied" ? "http-denied" : "http", message, options);
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
    for (const [name, value] of headers) {
      const text = decode(value);
      const before = this.headers[name.toLowerCase()];
      this.headers[name.toLowerCase()] = before === undefined ? text : `${before}, ${text}`;
    }
  }

  text() {
    return decode(this.body);
  }

  json() {
    return JSON.parse(this.text());
  }
}

const URL_FORM = /^(https?):\/\/([^/?#\s@]+)([^#\s]*)(#\S*)?$/i;

/** Sends a request and waits for the whole answer. */
export function request(url, { method = "GET", headers = {}, body, timeoutMs } = {}) {
  const parts = URL_FORM.exec(url);
  if (parts === null) throw new InvalidArgs(`not a URL that can be asked: ${JSON.stringify(url)}`);
  const [, scheme, authority, path] = parts;
  const isBytes = body instanceof Uint8Array;
  const isJson = body !== undefined && !isBytes && typeof body !== "string";
  const sent = { ...(isJson ? { "content-type": "application/json" } : {}), ...headers };
  const bytes = body === undefined ? new Uint8Array() : isBytes ? body : encode(isJson ? JSON.stringify(body) : body);
  let answer;
  try {
    answer = send({
      method,
      scheme: scheme.toLowerCase(),
      authority,
      path: path.startsWith("/") ? path : `/${path}`,
      headers: Object.entries(sent).map(([name, value]) => [name, encode(String(value))]),
      body: bytes,
      timeoutMs,
    });
  } catch (error) {
    const refused = refusal(error);
    if (refused === undefined) throw error;
    const detail = refused.val === undefined || refused.val === null ? "" : `: ${JSON.stringify(refused.val)}`;
    throw new HttpError(refused.tag, `${method} ${url}: ${refused.tag}${detail}`, { cause: error });
  }
  return new Response(answer.status, answer.headers, answer.body);
}

export const get = (url, options) => request(url, { ...options, method: "GET" });
export const post = (url, body, options) => request(url, { ...options, body, method: "POST" });
