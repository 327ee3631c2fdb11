/**
 * Adding, changing and running other jobs. Needs the right `allow.jobs`. What is asked for takes effect with the success
 * of the run, and not at all when it fails.
 */
import * as host from "#host/jobs";
import { Failure } from "./errors.js";
import { toJson } from "./json.js";
import { refusal } from "./refusal.js";

const CODES = {
  denied: "jobs-denied",
  "no-such-job": "no-such-job",
  "job-exists": "job-exists",
  invalid: "invalid-job",
  "too-many": "too-many-jobs",
  unavailable: "jobs-unavailable",
  other: "jobs",
};

/** A call was refused. Thrown on, it asks for a retry only where that can help. */
export class JobsError extends Failure {
  constructor(kind, message) {
    super(kind === "too-many" || kind === "unavailable" ? "retry" : "fatal", CODES[kind] ?? "jobs", message);
    this.kind = kind;
  }
}

function text(value) {
  try {
    return toJson(value, "the value");
  } catch (error) {
    throw new JobsError("invalid", `it is not JSON: ${error.message}`);
  }
}

function ask(call, ...args) {
  try {
    return host[call](...args);
  } catch (error) {
    const refused = refusal(error);
    if (refused === undefined) throw error;
    throw new JobsError(refused.tag, refused.val);
  }
}

/** Adds a job with the keys of a section `[jobs.NAME]` of the manifest; without a trigger it runs once, at once. */
export const add = (name, job = {}, onConflict = "error") => void ask("add", name, text(job), onConflict);
/** Changes a job that a run added: the keys to change. */
export const modify = (name, changes) => void ask("modify", name, text(changes));
/** Lets a job not fire until it is resumed, and says why. */
export const pause = (name, note) => void ask("pause", name, note ?? null);
/** Lets a job fire again. */
export const resume = (name) => void ask("resume", name);
/** Removes a job that a run added. */
export const remove = (name) => void ask("remove", name);
/** Runs a job once, on top of its schedule, with its own arguments or with these. */
export const run = (name, args) => void ask("run", name, args === undefined ? null : text(args));
/** The names of the jobs that the run can see, in order. */
export const list = () => ask("list");

/** A job that the run can see, with its keys and times; undefined where there is none. */
export function get(name) {
  const text = ask("get", name);
  return text === null || text === undefined ? undefined : JSON.parse(text);
}
