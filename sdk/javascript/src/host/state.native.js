import { Buffer } from "node:buffer";
import { host } from "../testing.host.js";
import { imported } from "./world.native.js";

// The state of the job, where the plugin has any.
const kept = () => {
  imported("clockbox:state/store@0.1.0");
  return host.state;
};
const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;

export const get = (key) => kept()[key];
export const set = (key, value) => {
  const length = new TextEncoder().encode(key).length;
  if (length < 1 || length > 512 || /\p{Cc}/u.test(key)) {
    throw { tag: "invalid-key", val: "a key has 1 to 512 bytes and no control characters" };
  }
  kept()[key] = Uint8Array.from(value);
};
const remove = (key) => {
  const had = key in kept();
  delete kept()[key];
  return had;
};
export { remove as delete };
export const keys = (prefix) =>
  Object.keys(kept())
    .filter((key) => key.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
export const compareAndSwap = (key, expected, value) => {
  const current = kept()[key];
  const fits = expected === null ? current === undefined : current !== undefined && same(current, expected);
  if (fits && value === null) remove(key);
  else if (fits) set(key, value);
  return fits;
};
