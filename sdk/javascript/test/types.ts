// Compiled only: the types say what the code does.
import { args, context, job, log, progress, type Job } from "clockbox-sdk";
import * as state from "clockbox-sdk/state";

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
