/** The host's part in unit tests: outside a sandbox the job talks to this module. */
import { without } from "./absent.js";
import { host } from "./testing.host.js";

export { host, reset } from "./testing.host.js";

/**
 * Calls a job as the host does, with the globals that the sandbox has, and gives its output, parsed. What a failed run changed is undone.
 */
export function call(job, args = null) {
  if (typeof job?.call !== "function") throw new TypeError("`call` takes a job, which `job({ args: { … }, run({ … }) { … } })` makes");
  const before = structuredClone({ state: host.state, jobs: host.jobs, runs: host.runs });
  try {
    const text = JSON.stringify(args);
    const output = without(() => job.call(text));
    return output === undefined ? undefined : JSON.parse(output);
  } catch (error) {
    Object.assign(host, before);
    throw error;
  }
}
