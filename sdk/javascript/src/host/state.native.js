import { host } from "../testing.host.js";

const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;

export const get = (key) => host.state[key];
export const set = (key, value) => {
  const length = new TextEncoder().encode(key).length;
  if (length < 1 || length > 512 || /\p{Cc}/u.test(key)) {
    throw { tag: "invalid-key", val: "a key has 1 to 512 bytes and no control characters" };
  }
  host.state[key] = Uint8Array.from(value);
};
const remove = (key) => {
  const had = key in host.state;
  delete host.state[key];
  return had;
};
export { remove as delete };
export const keys = (prefix) =>
  Object.keys(host.state)
    .filter((key) => key.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
export const compareAndSwap = (key, expected, value) => {
  const current = host.state[key];
  const fits = expected === null ? current === undefined : current !== undefined && same(current, expected);
  if (fits && value === null) remove(key);
  else if (fits) set(key, value);
  return fits;
};
