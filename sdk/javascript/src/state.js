/**
 * What the job remembers from one run to the next: keys and values of its own, kept by the host. Needs the right
 * `allow.state`. What a run changes takes effect with its success, and not at all when it fails.
 */
import * as host from "#host/state";
import { Failure } from "./errors.js";
import { toJson } from "./json.js";
import { refusal } from "./refusal.js";
import { decode, decodeLossy, encode } from "./utf8.js";

const CODES = {
  denied: "state-denied",
  "invalid-key": "invalid-key",
  "quota-exceeded": "state-full",
  unavailable: "state-unavailable",
  other: "state",
};

/** A call was refused. Thrown on, it asks for a retry only where that can help. */
export class StateError extends Failure {
  constructor(kind, message) {
    super(kind === "unavailable" ? "retry" : "fatal", CODES[kind] ?? "state", message);
    this.kind = kind;
  }
}

function ask(call, ...args) {
  try {
    return host[call](...args);
  } catch (error) {
    const refused = refusal(error);
    if (refused === undefined) throw error;
    throw new StateError(refused.tag, refused.val);
  }
}

function bytesOf(value) {
  if (typeof value === "string") return encode(value);
  if (value instanceof Uint8Array) return value;
  throw new StateError("other", `a value is text or a Uint8Array, not ${value === null ? "null" : `a ${typeof value}`}; \`setJson\` takes any other`);
}

const orNone = (value) => (value === undefined || value === null ? null : bytesOf(value));

function millis(ttlMs) {
  if (ttlMs === undefined || ttlMs === null) return null;
  if (typeof ttlMs !== "number" || !(ttlMs >= 0)) {
    throw new StateError("other", `ttlMs is ${typeof ttlMs === "string" ? JSON.stringify(ttlMs) : String(ttlMs)}, and is to be a number of milliseconds from 0`);
  }
  return Math.min(Math.round(ttlMs), Number.MAX_SAFE_INTEGER);
}

/** The bytes of a key; undefined where there are none, or where they have expired. */
export function get(key) {
  const value = ask("get", key);
  return value === null || value === undefined ? undefined : Uint8Array.from(value);
}

/** The value of a key as text; undefined where there is none. Bytes that are not UTF-8 become U+FFFD. */
export function getText(key) {
  const value = get(key);
  return value === undefined ? undefined : decodeLossy(value);
}

/** Sets the value of a key, bytes or text (as UTF-8); it is gone after `ttlMs` milliseconds. */
export const set = (key, value, ttlMs) => void ask("set", key, bytesOf(value), millis(ttlMs));

/** The value of a key, read as JSON. */
export function getJson(key, fallback) {
  const value = get(key);
  if (value === undefined) return fallback;
  try {
    return JSON.parse(decode(value));
  } catch (error) {
    throw new StateError("other", `the value of ${JSON.stringify(key)} is not JSON: ${error.message}`);
  }
}

/** Sets the value of a key, as JSON. */
export function setJson(key, value, ttlMs) {
  let text;
  try {
    text = toJson(value, "the value");
  } catch (error) {
    throw new StateError("other", `the value for ${JSON.stringify(key)} is not JSON: ${error.message}`);
  }
  set(key, text, ttlMs);
}

/** Reads a JSON value, changes it, and sets what comes out: `state.update("runs", (n) => n + 1, 0)`. */
export function update(key, change, initial) {
  const changed = change(getJson(key, initial));
  setJson(key, changed);
  return changed;
}

/** Deletes a key; true where it had a value. */
export const remove = (key) => ask("delete", key);

/** The keys that begin with `prefix`, in the order of their bytes. */
export const keys = (prefix = "") => ask("keys", prefix);

/**
 * Sets the value of a key (undefined deletes it) where it has the expected one (undefined: where it has none). That is
 * compared again when the success of the run is recorded, and the attempt fails where somebody else has changed the key.
 */
export const compareAndSwap = (key, expected, value, ttlMs) =>
  ask("compareAndSwap", key, orNone(expected), orNone(value), millis(ttlMs));
