/** The facts of the run that is under way. */
import * as host from "#host/job";
import { Cancelled } from "./errors.js";

/** The name of the job. */
export const jobId = () => host.jobId();
/** The id of the run; the same over all its attempts. */
export const runId = () => host.runId();
/** The number of this attempt, from 1. */
export const attempt = () => host.attempt();
/** The time that the run was scheduled for, as RFC 3339 text with the offset of the job's zone. */
export const scheduledAt = () => host.scheduledAt();
/** The scheduled time of the job's latest successful run before this one. */
export const previousSuccess = () => host.previousSuccess() ?? undefined;
/** Why the run exists: `trigger` or `manual`. */
export const cause = () => host.cause();
/** A key that names this run for ever: hand it to services that can tell a repetition apart. */
export const idempotencyKey = () => host.idempotencyKey();
/** How many milliseconds are left before this attempt is stopped. */
export const deadlineMs = () => Number(host.deadlineMs());
/** Whether the host wants this run to stop soon. */
export const isCancelled = () => host.isCancelled();
/** A value of the plugin's `config` table in the manifest, or a secret. */
export const config = (key) => host.config(key) ?? undefined;

/** Ends the run where the host wants it to stop: a job that loops calls this now and then. */
export function checkCancelled() {
  if (isCancelled()) throw new Cancelled();
}
