import { Failure } from "./errors.js";

export class StateError extends Failure {
  readonly kind: "denied" | "invalid-key" | "quota-exceeded" | "unavailable" | "other";
}
export function get(key: string): Uint8Array | undefined;
/** The value as text; bytes that are not UTF-8 become U+FFFD. */
export function getText(key: string): string | undefined;
/** Bytes as they are, text as UTF-8. */
export function set(key: string, value: Uint8Array | string, ttlMs?: number): void;
export function getJson<T>(key: string): T | undefined;
export function getJson<T>(key: string, fallback: T): T;
export function setJson(key: string, value: unknown, ttlMs?: number): void;
/** Reads a JSON value, changes it, and sets what comes out. */
export function update<T>(key: string, change: (value: T) => T, initial: T): T;
/** Deletes a key; true where it had a value. */
export function remove(key: string): boolean;
export function keys(prefix?: string): string[];
export function compareAndSwap(key: string, expected: Uint8Array | string | undefined, value: Uint8Array | string | undefined, ttlMs?: number): boolean;
