/** Lines for the run's log, with named values. `console` goes there too. */
import * as host from "#host/job";

// A line is never worth a failure: a field that JSON cannot hold is told as text.
function show(value) {
  if (value instanceof Error || typeof value !== "object") return String(value);
  if (value instanceof Map) return show(Object.fromEntries(value));
  if (value instanceof Set) return show([...value]);
  try {
    return JSON.stringify(value);
  } catch {
    return String(value);
  }
}

const at = (level) => (message, fields = {}) =>
  host.write(
    level,
    String(message),
    Object.entries(fields)
      .filter(([, value]) => value !== undefined) // as in JSON: what is not there has no field
      .map(([key, value]) => ({ key, value: show(value) })),
  );

/** Every step. */
export const trace = at("trace");
/** For the author of the job. */
export const debug = at("debug");
/** For whoever looks at the run. */
export const info = at("info");
/** Worth a look. */
export const warn = at("warn");
/** Something failed. */
export const error = at("error");
