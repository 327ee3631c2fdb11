import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** What comes of loading the build's entry over a module of this text. */
function load(text) {
  const hooks = `export const resolve = (name, context, next) =>
    name === "clockbox-job" ? { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(text)}`)}, shortCircuit: true } : next(name, context);`;
  const script = `
    import { register } from "node:module";
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
    const { runner } = await import(${JSON.stringify(new URL("../src/entry.js", import.meta.url).href)}).catch((error) => ({ runner: { run: () => error.message } }));
    console.log(runner.run(""));`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }).stdout.trim();
}

test("a build takes a module that exports a job as `runner`, and no other", () => {
  assert.equal(load("export const runner = { run: () => 'ran' };"), "ran");
  const refusal = "the job's module is to export a job as `runner`: `export const runner = job({ … })`; ";
  assert.equal(load("export const runer = 1, other = 2;"), `${refusal}it exports \`other\`, \`runer\``);
  assert.equal(load("export const runner = () => 1;"), `${refusal}its \`runner\` is none`);
  assert.match(load("export const runner = { args: {}, run: () => 1 };"), /^the job's `runner` has `args`, which nothing checks; wrap it in job\(…\): /);
  const sdk = JSON.stringify(new URL("../src/index.js", import.meta.url).href);
  assert.equal(load(`import { args, job } from ${sdk}; export const runner = job({ args: { a: args.any() }, run: ({ a }) => a ?? 'checked' });`), '"checked"');
  assert.equal(load(""), `${refusal}it exports nothing`);
});
