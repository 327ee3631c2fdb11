type Write = (message: unknown, fields?: Record<string, unknown>) => void;
export const trace: Write;
export const debug: Write;
export const info: Write;
export const warn: Write;
export const error: Write;
