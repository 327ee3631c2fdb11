/**
 * A clockbox job in JavaScript. Each part of the contract that needs a right of its own is a module of its own, too; a bundle has only
 * those that are used. The bundler is to leave `clockbox:*` as it is, and `clockbox-sdk/random` is apart as it needs that of `wasi:*`.
 */
export * as args from "./args.js";
export * as context from "./context.js";
export * as http from "./http.js";
export * as jobs from "./jobs.js";
export * as log from "./log.js";
export * as progress from "./progress.js";
export * as state from "./state.js";
export { Cancelled, Failure, Fatal, InvalidArgs, Retry, RetryAfter } from "./errors.js";
export { job } from "./job.js";
