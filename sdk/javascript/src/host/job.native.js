// The host outside a sandbox: whatever `testing` was told.
import { host } from "../testing.host.js";

export const jobId = () => host.jobId;
export const runId = () => host.runId;
export const attempt = () => host.attempt;
export const scheduledAt = () => host.scheduledAt;
export const previousSuccess = () => host.previousSuccess;
export const cause = () => host.cause;
export const idempotencyKey = () => host.idempotencyKey;
export const deadlineMs = () => host.deadlineMs;
export const isCancelled = () => host.cancelled;
export const config = (key) => host.config[key];
export const write = (level, message, fields) =>
  host.lines.push({ level, message, fields: Object.fromEntries(fields.map(({ key, value }) => [key, value])) });
export const report = (done, total, note) => {
  host.progress = { done, total, note };
};
