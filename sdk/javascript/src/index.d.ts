export * as args from "./args.js";
export * as context from "./context.js";
export * as log from "./log.js";
export * as progress from "./progress.js";
export { Cancelled, Failure, Fatal, InvalidArgs, Retry, RetryAfter } from "./errors.js";
export { job, type Job } from "./job.js";
