// What the host refuses of a job before it looks at what the keys say.
import { Buffer } from "node:buffer";

const CHANGED = ["plugin", "trigger", "args", "pool", "misfire_grace", "coalesce", "max_instances", "overlap", "priority", "delivery", "retry", "when_done"]; // prettier-ignore
const ADDED = [...CHANGED, "allow", "enabled"];

const refuse = (message) => {
  throw { tag: "invalid", val: message };
};

/** The name of a job: up to 128 bytes of letters, digits and `. _ - : @`. */
export function checkName(name) {
  if (name === "") refuse("a job name must not be empty");
  const length = Buffer.byteLength(name);
  if (length > 128) refuse(`the job name is ${length} bytes long; at most 128 are allowed`);
  const [other] = name.match(/[^\p{Alphabetic}\p{N}._:@-]/u) ?? [];
  if (other !== undefined) refuse(`'${other}' is not allowed in a job name; use letters, digits, '.', '_', '-', ':' and '@'`);
}

/** The keys of a job that is added, as JSON text. */
export function readJob(text) {
  const keys = readKeys(text, ADDED);
  if (keys.enabled === false) refuse("enabled: a job that is added while the host runs cannot be disabled; add it, and pause it");
  return keys;
}

/** The keys of a job that are changed, as JSON text. */
export const readChanges = (text) => readKeys(text, CHANGED);

function readKeys(text, known) {
  const keys = JSON.parse(text);
  if (typeof keys !== "object" || keys === null || Array.isArray(keys)) refuse("the job is not a JSON object");
  for (const [key, value] of Object.entries(keys)) {
    if (!known.includes(key) && value !== null) refuse(`${key}: unknown key; known are: ${known.join(", ")}`);
  }
  // A key that is null is one that is not there; arguments may be.
  return Object.fromEntries(Object.entries(keys).filter(([key, value]) => value !== null || key === "args"));
}
