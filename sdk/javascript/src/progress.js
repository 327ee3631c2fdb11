/** How far the run has come. */
import * as host from "#host/job";

/** Reports `done` of `total` steps; a total of 0 is not known. Reports that come too fast are merged: the latest counts. */
export function report(done, total, note) {
  for (const count of [done, total ?? 0]) {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`progress counts in whole numbers from 0, not ${count}`);
  }
  host.report(done, total || null, note ?? null);
}
