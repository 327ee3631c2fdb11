// One request at a time, through wasi:http.
import { poll } from "wasi:io/poll@0.2.6";
import { handle } from "wasi:http/outgoing-handler@0.2.6";
import { Fields, OutgoingBody, OutgoingRequest, RequestOptions } from "wasi:http/types@0.2.6";
import { refusal } from "../refusal.js";

const CHUNK = 4096;
const METHODS = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"];

export function send({ method, scheme, authority, path, headers, body, timeoutMs }) {
  const request = new OutgoingRequest(Fields.fromList(headers.map(([name, value]) => [name.toLowerCase(), value])));
  const lower = method.toLowerCase();
  request.setMethod(METHODS.includes(lower) ? { tag: lower } : { tag: "other", val: method });
  request.setScheme({ tag: scheme === "https" ? "HTTPS" : "HTTP" });
  request.setAuthority(authority);
  request.setPathWithQuery(path);
  const options = new RequestOptions();
  if (timeoutMs !== undefined) {
    options.setConnectTimeout(timeoutMs * 1e6);
    options.setFirstByteTimeout(timeoutMs * 1e6);
    options.setBetweenBytesTimeout(timeoutMs * 1e6);
  }
  const outgoing = request.body();
  const future = handle(request, options);
  write(outgoing, body);
  const pollable = future.subscribe();
  poll([pollable]);
  pollable[Symbol.dispose]();
  // An option of a result of a result.
  const response = unwrap(unwrap(future.get()));
  const incoming = response.consume();
  return { status: response.status(), headers: response.headers().entries(), body: read(incoming) };
}

function unwrap(result) {
  if (result?.tag === "err") throw result.val;
  return result?.tag === "ok" ? result.val : result;
}

function write(outgoing, body) {
  const stream = outgoing.write();
  for (let at = 0; at < body.length; at += CHUNK) stream.blockingWriteAndFlush(body.slice(at, at + CHUNK));
  stream[Symbol.dispose]();
  OutgoingBody.finish(outgoing, null);
}

function read(incoming) {
  const stream = incoming.stream();
  const chunks = [];
  let length = 0;
  for (;;) {
    try {
      const chunk = stream.blockingRead(65536);
      chunks.push(chunk);
      length += chunk.length;
    } catch (error) {
      if (refusal(error)?.tag === "closed") break;
      throw error;
    }
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
