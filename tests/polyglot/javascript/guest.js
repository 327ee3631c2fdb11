// The table's cases in JavaScript: see ../README.md.
import { args, Cancelled, context, Fatal, InvalidArgs, job, log, progress, Retry, RetryAfter } from "clockbox-sdk";
import * as http from "clockbox-sdk/http";
import * as jobs from "clockbox-sdk/jobs";
import * as state from "clockbox-sdk/state";

const bytes = (text) => new TextEncoder().encode(text);
const again = (failure) => {
  if (context.attempt() > 1) return { attempt: context.attempt() };
  throw failure;
};

const deeds = {
  greet: ({ name, times }) => ({ greeting: `hello ${name}`, times }),
  nothing: () => undefined,
  echo: ({ value }) => value,
  retry: () => again(new Retry("busy", "try again")),
  "retry-after": () => again(new RetryAfter(20, "busy", "try again soon")),
  fatal() {
    throw new Fatal("broken", "no use – ever");
  },
  refuse() {
    throw new InvalidArgs("not these");
  },
  log({ name, times }) {
    log.trace("one");
    log.debug("two");
    log.info("three", { name, times });
    console.warn("four");
    console.error("fünf");
  },
  progress: () => progress.report(1, 4, "a quarter"),
  facts: () => ({
    job: context.jobId(),
    cause: context.cause(),
    attempt: context.attempt(),
    config: [context.config("colour"), context.config("none") ?? null],
    ids: context.runId() !== "" && context.idempotencyKey() !== "",
    time: context.deadlineMs() > 0 && new Date(context.scheduledAt()).getFullYear() > 2000,
    cancelled: context.isCancelled(),
  }),
  count: () => state.update("count", (count) => count + 1, 0),
  "count-and-fail"() {
    state.update("count", (count) => count + 1, 0);
    throw new Fatal("told", "to fail");
  },
  swap() {
    const done = [
      state.compareAndSwap("swap", undefined, bytes("1")),
      state.compareAndSwap("swap", bytes("0"), bytes("2")),
      state.compareAndSwap("swap", bytes("1"), bytes("2")),
    ];
    state.set("swept", bytes("x"));
    return [...done, state.keys("sw"), state.remove("swept"), state.remove("swept"), new TextDecoder().decode(state.get("swap"))];
  },
  bytes() {
    state.set("bytes", Uint8Array.from({ length: 256 }, (_, index) => index), 3_600_000);
    return state.get("bytes").reduce((sum, byte) => sum + byte, 0);
  },
  // Makes garbage between calls of the host, and in them.
  churn() {
    let kept = 0;
    for (let i = 0; i < 2000; i++) {
      const value = bytes(String(i).repeat(500));
      state.set("churn", value);
      if (state.get("churn").every((byte, at) => byte === value[at])) kept++;
    }
    return kept;
  },
  draw() {
    const before = state.getJson("drawn");
    const drawn = Math.random();
    state.setJson("drawn", drawn);
    return { same: drawn === before, within: drawn >= 0 && drawn < 1 };
  },
  "bad-key": () => state.set("", bytes("")),
  "add-job"({ name }) {
    jobs.add(name, { trigger: { date: "2099-01-01" }, args: { do: "nothing" } });
    jobs.add(name, {}, "ignore");
    jobs.modify(name, { args: { do: "greet", name: "you" } });
    jobs.pause(name, "not yet");
    jobs.resume(name);
    return { listed: jobs.list().includes(name), args: jobs.get(name).args, none: jobs.get("nobody") ?? null };
  },
  "replace-job": ({ name, value }) => jobs.add(name, { trigger: { date: "2099-01-01" }, args: value }, "replace"),
  "run-job": ({ name, value }) => (value === undefined ? jobs.run(name) : jobs.run(name, value)),
  "pause-job": ({ name }) => jobs.pause(name, "für heute"),
  "resume-job": ({ name }) => jobs.resume(name),
  "remove-job"({ name }) {
    jobs.remove(name);
    return jobs.get(name);
  },
  "remove-and-fail"({ name }) {
    jobs.remove(name);
    throw new Fatal("told", "to fail");
  },
  "no-such-job": () => jobs.pause("nobody", "for ever"),
  get({ name }) {
    const response = http.get(name, { headers: { "x-asked": "yes" } });
    const body = response.ok ? response.json() : response.text();
    return { status: response.status, ok: response.ok, kind: response.headers["x-kind"] ?? null, body };
  },
  post: ({ name, value }) => http.post(name, value).json(),
  large: ({ name }) => http.get(name, { maxBody: 1000 }).body.length,
  late: ({ name }) => http.get(name, { timeoutMs: 100 }).status,
  wait() {
    log.info("waiting");
    while (!context.isCancelled());
    throw new Cancelled("stopped when asked");
  },
};

export const runner = job({
  args: {
    do: args.choice(Object.keys(deeds)),
    name: args.string({ default: "" }),
    times: args.integer({ default: 1 }),
    value: args.any(),
  },
  run: (given) => deeds[given.do](given),
});
