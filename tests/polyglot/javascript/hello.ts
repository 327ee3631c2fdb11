import { args, job } from "clockbox-sdk";

export const runner = job({
  args: { name: args.string() },
  run: ({ name }): string => `hello ${name}`,
});
