import { Failure } from "./errors.js";

export type HttpErrorKind =
  | "invalid-request"
  | "denied"
  | "dns"
  | "connect"
  | "timeout"
  | "tls"
  | "too-large"
  | "protocol"
  | "other";
/** No answer was had. Thrown on, it asks for a retry only where that can help. */
export class HttpError extends Failure {
  constructor(kind: HttpErrorKind, message: string, options?: ErrorOptions);
  readonly kind: HttpErrorKind;
}
/** What came back. */
export class Response {
  private constructor();
  readonly status: number;
  /** Whether the status is one of 200 to 299. */
  readonly ok: boolean;
  /** By names in lower case; several values of a name are joined by commas. */
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  /** The body; bytes that are not UTF-8 become U+FFFD. */
  text(): string;
  json(): any;
}
export interface RequestOptions {
  headers?: Record<string, string>;
  /** The longest that the whole exchange may take; else it is what the manifest says. */
  timeoutMs?: number;
  /** The most bytes of the answer's body that are taken; else `limits.response` of the plugin. */
  maxBody?: number;
}
/** Text and bytes go as they are, anything else as JSON. */
export type Body = unknown;
/** Sends a request and waits for the whole answer. Any status is one. */
export function request(url: string, options?: RequestOptions & { method?: string; body?: Body }): Response;
export function get(url: string, options?: RequestOptions): Response;
export function post(url: string, body?: Body, options?: RequestOptions): Response;
