import type { Job } from "./job.js";

export interface Line {
  level: "trace" | "debug" | "info" | "warn" | "error";
  message: string;
  fields: Record<string, string>;
}
export interface Host {
  jobId: string;
  runId: string;
  attempt: number;
  scheduledAt: string;
  previousSuccess: string | undefined;
  cause: "trigger" | "manual";
  idempotencyKey: string;
  deadlineMs: number;
  cancelled: boolean;
  config: Record<string, string>;
  lines: Line[];
  progress: { done: number; total: number | null; note: string | null } | undefined;
  state: Record<string, Uint8Array>;
  jobs: Record<string, Record<string, unknown>>;
  runs: [name: string, args: unknown][];
  /** Answers the requests of `clockbox-sdk/http`; without it they are refused. */
  http: ((request: SentRequest) => SentResponse) | undefined;
}
export interface SentRequest {
  method: string;
  scheme: "http" | "https";
  authority: string;
  path: string;
  headers: [name: string, value: Uint8Array][];
  body: Uint8Array;
}
export interface SentResponse {
  status: number;
  headers: [name: string, value: Uint8Array][];
  body: Uint8Array;
}
export const host: Host;
/** A new host with these facts, for the runs to come. */
export function reset(facts?: Partial<Host>): Host;
/** Calls a job as the host does, and gives its output, parsed. What a failed run changed is undone. */
export function call(job: Job, args?: unknown): any;
