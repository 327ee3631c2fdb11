import { Failure } from "./errors.js";

export class JobsError extends Failure {
  readonly kind: "denied" | "no-such-job" | "job-exists" | "invalid" | "too-many" | "unavailable" | "other";
}
/** The keys of a section `[jobs.NAME]` of the manifest. */
export type Keys = Record<string, unknown>;
export function add(name: string, job?: Keys, onConflict?: "error" | "replace" | "ignore"): void;
export function modify(name: string, changes: Keys): void;
export function pause(name: string, note?: string): void;
export function resume(name: string): void;
export function remove(name: string): void;
export function run(name: string, args?: unknown): void;
export function list(): string[];
export function get(name: string): Keys | undefined;
