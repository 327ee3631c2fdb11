// Watches a JSON document on the web: its output is what changed since the run before, by path. Where somebody is to be notified, the
// changes are sent to him first: they are remembered with the success alone, so that nobody misses one.
import { args, job, log, Retry } from "clockbox-sdk";
import * as http from "clockbox-sdk/http";
import * as state from "clockbox-sdk/state";

export const runner = job({
  args: {
    url: args.string(),
    ignore: args.list(args.string(), { default: [] }), // paths, such as /page/views
    notify: args.optional(args.string()),
  },
  run({ url, ignore, notify }) {
    const now = values(answered(http.get(url, { headers: { accept: "application/json" }, timeoutMs: 5000 }), url).json());
    for (const path of ignore) delete now[path];
    const before = state.getJson("seen");
    state.setJson("seen", now);
    if (before === undefined) {
      log.info("seen for the first time", { url, values: Object.keys(now).length });
      return;
    }

    const changes = differences(before, now);
    if (changes.length === 0) return;
    for (const { path, from, to } of changes) log.warn(`${path} is ${show(to)}`, { was: show(from) });
    if (notify !== undefined) answered(http.post(notify, { url, changes }, { timeoutMs: 5000 }), notify);
    return changes;
  },
});

function answered(response, url) {
  if (!response.ok) throw new Retry("status", `${url} answers ${response.status}`);
  return response;
}

/** Every value of a document that holds no others, by its JSON pointer. */
function values(value, path = "", found = {}) {
  const entries = value !== null && typeof value === "object" ? Object.entries(value) : [];
  if (entries.length === 0) found[path] = value;
  for (const [key, each] of entries) values(each, `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, found);
  return found;
}

/** What is there no more, or was not there, has no `to` or no `from`. */
function differences(before, now) {
  const paths = Object.keys({ ...before, ...now }).sort();
  return paths
    .map((path) => ({ path, from: before[path], to: now[path] }))
    .filter(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to));
}

const show = (value) => JSON.stringify(value) ?? "not there";
