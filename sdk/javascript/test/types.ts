// Compiled only: the types say what the code does.
import { args, context, Fatal, http as web, job, jobs, log, progress, Retry, RetryAfter, state as kept, type Job } from "clockbox-sdk";
import * as http from "clockbox-sdk/http";
import * as random from "clockbox-sdk/random";
import * as state from "clockbox-sdk/state";
import { host } from "clockbox-sdk/testing";

export const runner: Job = job({
  args: { name: args.string(), mode: args.choice(["fast", "safe"]), limit: args.optional(args.integer()) },
  run({ name, mode, limit }) {
    const text: string = name;
    const either: "fast" | "safe" = mode;
    // @ts-expect-error it may be missing
    const count: number = limit;
    log.info(text, { either, count });
    progress.report(1);
    const runs: number = state.update("runs", (n: number) => n + 1, 0);
    // @ts-expect-error a value may be missing
    state.getJson<number>("runs").toFixed();
    return { runs, attempt: context.attempt() };
  },
});

// @ts-expect-error a default is one of the choices
args.choice(["fast", "safe"], { default: "slow" });

host.http = ({ method, url, headers }) => ({ headers, body: { method, url } });
export const answered: boolean = http.post("https://x.example", { any: 1 }, { timeoutMs: 1000, maxBody: 1 << 20 }).ok;
export const failure = new http.HttpError("timeout", "too late");
// @ts-expect-error there is no such kind
new http.HttpError("late", "too late");
// @ts-expect-error the method is that of the function
http.get("https://x.example", { method: "PUT" });

export const failures = [new Fatal("m"), new Fatal("c", "m"), new Retry("m", { cause: 1 }), new RetryAfter(5, "m"), new RetryAfter(5, "c", "m")];
export const reached: [string | undefined, string[], boolean] = [kept.getText("a"), jobs.list(), web.get("https://x.example").ok];
kept.set("a", random.uuid());
kept.set("a", random.bytes(4));
// @ts-expect-error a value is text or bytes
kept.set("a", 5);
