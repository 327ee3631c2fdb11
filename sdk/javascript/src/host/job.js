// The host inside the sandbox.
export {
  attempt,
  cause,
  config,
  deadlineMs,
  idempotencyKey,
  isCancelled,
  jobId,
  previousSuccess,
  runId,
  scheduledAt,
} from "clockbox:job/context@0.1.0";
export { write } from "clockbox:job/log@0.1.0";
export { report } from "clockbox:job/progress@0.1.0";
