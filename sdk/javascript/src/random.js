/** Random bytes of the host, fit for secrets where `allow.random` is real. Needs a world that imports wasi:random/random. */
import * as host from "#host/entropy";
import { Fatal } from "./errors.js";
import { refusal } from "./refusal.js";

/** So many random bytes. */
export function bytes(count) {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`a number of bytes is whole and from 0, not ${count}`);
  try {
    return Uint8Array.from(host.getRandomBytes(count));
  } catch (error) {
    const refused = refusal(error);
    if (refused === undefined) throw error;
    throw new Fatal("random-denied", refused.val, { cause: error });
  }
}

/** A random UUID, version 4. */
export function uuid() {
  const given = bytes(16);
  given[6] = (given[6] & 0x0f) | 0x40;
  given[8] = (given[8] & 0x3f) | 0x80;
  const text = [...given].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
