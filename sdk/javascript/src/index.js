/** A clockbox job in JavaScript. Each part of the contract that needs a right of its own is a module of its own. */
export * as args from "./args.js";
export * as context from "./context.js";
export * as log from "./log.js";
export * as progress from "./progress.js";
export { Cancelled, Failure, Fatal, InvalidArgs, Retry, RetryAfter } from "./errors.js";
export { job } from "./job.js";
