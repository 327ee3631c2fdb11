import { withAll } from "../absent.js";
import { host } from "../testing.host.js";
import { encode } from "../utf8.js";
import { imported } from "./world.native.js";

export function send(request) {
  imported("clockbox:http/client@0.1.0");
  if (host.http === undefined) throw { tag: "denied", val: `${request.method} ${request.url}: the test has no \`host.http\` that answers` };
  const headers = Object.fromEntries(request.headers.map(({ name, value }) => [name.toLowerCase(), value]));
  let answer;
  try {
    answer = withAll(() => host.http({ ...request, headers, timeoutMs: request.timeoutMs ?? undefined, maxBody: request.maxBody ?? undefined }));
  } catch (error) {
    // An HttpError comes to the job the way that the host's own do.
    throw typeof error?.kind === "string" ? { tag: error.kind, val: error.message } : error;
  }
  const { status = 200, headers: given = {}, body = "" } = answer;
  const bytes = body instanceof Uint8Array ? body : encode(typeof body === "string" ? body : JSON.stringify(body));
  if (bytes.length > (request.maxBody ?? Infinity)) throw { tag: "too-large", val: `more than ${request.maxBody} bytes` };
  return { status, headers: Object.entries(given).map(([name, value]) => ({ name: name.toLowerCase(), value })), body: bytes };
}
