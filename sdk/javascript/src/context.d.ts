export function jobId(): string;
export function runId(): string;
export function attempt(): number;
/** RFC 3339 text with the offset of the job's zone. */
export function scheduledAt(): string;
export function previousSuccess(): string | undefined;
export function cause(): "trigger" | "manual";
export function idempotencyKey(): string;
export function deadlineMs(): number;
export function isCancelled(): boolean;
/** Ends the run where the host wants it to stop. */
export function checkCancelled(): void;
/** A value of the plugin's `config` table in the manifest, or a secret. */
export function config(key: string): string | undefined;
