// What a build starts from: the job's own module, `clockbox-job` to the bundler, and whether it is a job.
import * as plugin from "clockbox-job";

const exported = { ...plugin };
if (typeof exported.runner?.run !== "function") {
  const names = Object.keys(exported).map((name) => `\`${name}\``); // prettier-ignore
  const found = names.includes("`runner`") ? "its `runner` is none" : `it exports ${names.join(", ") || "nothing"}`;
  throw new TypeError(`the job's module is to export a job as \`runner\`: \`export const runner = job({ … })\`; ${found}`);
}
if (Object.hasOwn(exported.runner, "args")) {
  throw new TypeError("the job's `runner` has `args`, which nothing checks; wrap it in job(…): `export const runner = job({ args: { … }, run({ … }) { … } })`");
}

export const runner = exported.runner;
