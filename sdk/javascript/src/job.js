/** From a function with checked arguments to the exported one. */
import "#host/globals";
import { begin } from "#host/random";
import { advice } from "./absent.js";
import * as types from "./args.js";
import { Failure, Fatal, InvalidArgs, Retry } from "./errors.js";
import { toJson } from "./json.js";
import * as log from "./log.js";

/** The job of a plugin: `export const runner = job({ args: { … }, run({ … }) { … } })`. */
export function job({ args = {}, run }) {
  const type = typeof args.read === "function" ? args : types.object(args);
  return {
    run(text) {
      try {
        return call(type, run, text);
      } catch (error) {
        throw toFailure(error).toJobError();
      }
    },
    /** What it does, for tests: see `testing.call`. */
    call: (text) => {
      try {
        return call(type, run, text);
      } catch (error) {
        throw toFailure(error);
      }
    },
  };
}

function call(type, run, text) {
  begin();
  const given = parse(text);
  // No arguments are an empty object, unless the type takes null.
  const output = run(given === null ? readNone(type) : type.read(given, "args"));
  if (typeof output?.then === "function") {
    throw new Fatal("async", "the job gave a promise; jobs run synchronously, so give the value itself");
  }
  if (output === undefined || output === null) return undefined;
  try {
    return toJson(output, "output");
  } catch (error) {
    throw new Fatal("bad-output", `the output is not JSON: ${error.message}`, { cause: error });
  }
}

function readNone(type) {
  try {
    return type.read({}, "args");
  } catch (refusal) {
    try {
      return type.read(null, "args");
    } catch {
      throw refusal;
    }
  }
}

function parse(text) {
  try {
    return text.trim() === "" ? null : JSON.parse(text);
  } catch (error) {
    throw new InvalidArgs(`not JSON: ${error.message}`, { cause: error });
  }
}

/** Any other error asks for a retry; where it was thrown goes to the log. */
function toFailure(error) {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}${advice(error)}` : String(error);
  log.error(error?.stack ? `${message}\n${error.stack}` : message);
  return new Retry("error", message, { cause: error });
}
