import { host } from "../testing.host.js";

export function send(request) {
  if (host.http === undefined) throw { tag: "HTTP-request-denied" };
  return host.http(request);
}
