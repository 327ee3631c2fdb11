import { Failure } from "./errors.js";

export class HttpError extends Failure {
  readonly kind: string;
}
export class Response {
  readonly status: number;
  /** Whether the status is one of 200 to 299. */
  readonly ok: boolean;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  text(): string;
  json(): any;
}
export interface RequestOptions {
  method?: string;
  headers?: Record<string, string>;
  /** Text and bytes go as they are, anything else as JSON. */
  body?: unknown;
  /** The longest wait for a connection, for the first byte, and between two. */
  timeoutMs?: number;
}
export function request(url: string, options?: RequestOptions): Response;
export function get(url: string, options?: RequestOptions): Response;
export function post(url: string, body: unknown, options?: RequestOptions): Response;
