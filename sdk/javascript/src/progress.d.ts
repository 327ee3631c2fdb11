/** Reports `done` of `total` steps; a total of 0 is not known. Reports that come too fast are merged: the latest counts. */
export function report(done: number, total?: number, note?: string): void;
