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
  /** Answers the requests of `clockbox-sdk/http`, or throws an `HttpError`; without it they are denied. */
  http: ((request: SentRequest) => SentResponse) | undefined;
}
export interface SentRequest {
  method: string;
  url: string;
  /** By names in lower case. */
  headers: Record<string, string>;
  body: Uint8Array;
  timeoutMs: number | undefined;
  maxBody: number | undefined;
}
export interface SentResponse {
  /** 200 unless set. */
  status?: number;
  headers?: Record<string, string>;
  /** Text and bytes as they are, anything else as JSON. */
  body?: unknown;
}
export const host: Host;
/** A new host with these facts, for the runs to come. */
export function reset(facts?: Partial<Host>): Host;
/** Calls a job as the host does, with the globals that the sandbox has, and gives its output, parsed. What a failed run changed is undone. */
export function call(job: Job, args?: unknown): any;
