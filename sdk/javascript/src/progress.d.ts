/** Reports `done` of `total` steps. Reports that come too fast are merged: the latest counts. */
export function report(done: number, total?: number, note?: string): void;
