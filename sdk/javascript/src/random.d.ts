/** Random bytes of the host, fit for secrets where `allow.random` is real. */
export function bytes(count: number): Uint8Array;
/** A random UUID, version 4. */
export function uuid(): string;
