import type { Fields, Read, Type } from "./args.js";

/** What a plugin exports as `runner`. */
export interface Job {
  run(args: string): string | undefined;
  call(args: string): string | undefined;
}

/**
 * The job of a plugin: `export const runner = job({ args: { name: args.string() }, run: ({ name }) => … })`. What `run` gives is the
 * output; undefined is none. It runs synchronously.
 */
export function job<A extends Fields | Type<any> = {}>(definition: {
  args?: A;
  run: (args: Read<A>) => unknown;
}): Job;
