/** Lines for the run's log, with named values. `console` goes there too. */
import * as host from "#host/job";

const at = (level) => (message, fields = {}) =>
  host.write(
    level,
    String(message),
    Object.entries(fields).map(([key, value]) => ({ key, value: typeof value === "object" ? JSON.stringify(value) : String(value) })),
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
