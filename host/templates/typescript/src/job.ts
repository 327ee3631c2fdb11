// Greets somebody.
import { args, job, log } from "clockbox-sdk";

export const runner = job({
  args: { name: args.string(), times: args.integer({ default: 1 }) },
  run({ name, times }): string {
    log.info("greeting", { name });
    return Array<string>(times).fill(`hello ${name}`).join(", ");
  },
});
