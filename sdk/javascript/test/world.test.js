import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { missing } from "../src/world.js";

const STATE = "clockbox:state/store@0.1.0";
const world = (line) => `package clockbox:job@0.1.0;\n\nworld plugin {\n    import context;\n    import log;\n    ${line}\n    export runner;\n}\n`;

test("what a world lacks is told with its line", () => {
  assert.equal(missing(world(`import ${STATE};`), STATE), undefined);
  assert.equal(missing(world("import clockbox:state/store;"), STATE), undefined);
  assert.equal(missing(world("include job;"), STATE), undefined);
  assert.equal(missing(world(""), "clockbox:job/log@0.1.0"), undefined);
  assert.equal(missing(world(`// import ${STATE};`), STATE), "uncomment it in wit/plugin.wit, line 6");
  assert.equal(missing(world("import clockbox:state/store-of-mine;"), STATE), `add \`import ${STATE};\` to the world in wit/plugin.wit`);
  assert.equal(missing(world(`/* import ${STATE}; */`), STATE), `add \`import ${STATE};\` to the world in wit/plugin.wit`);
  assert.equal(missing(world(""), "clockbox:job/progress@0.1.0"), "add `import progress;` to the world in wit/plugin.wit");
});

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "clockbox-sdk-"));
  mkdirSync(join(folder, "wit"));
});
after(() => rmSync(folder, { recursive: true }));
const run = (...args) => spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });

test("in the project of a plugin a test finds what its world imports, and no more", () => {
  const module = (name) => JSON.stringify(new URL(`../src/${name}.js`, import.meta.url).href);
  const script = `
    const state = await import(${module("state")}), jobs = await import(${module("jobs")}), http = await import(${module("http")}), random = await import(${module("random")});
    const { host } = await import(${module("testing")});
    host.http = () => ({ body: 1 });
    for (const use of [() => state.keys(), () => jobs.list(), () => http.get("https://x.example").json(), () => random.bytes(0).length]) {
      try { console.log(JSON.stringify(use())); } catch (error) { console.log(error.code + ": " + error.message); }
    }`;
  const told = () => run("--input-type=module", "-e", script).stdout.trim().split("\n");
  assert.deepEqual(told(), ["[]", "[]", "1", "0"]);
  writeFileSync(join(folder, "wit/plugin.wit"), world(`// import ${STATE};`));
  const lacks = (name) => `the world of the plugin does not import ${name}`;
  assert.deepEqual(told(), [
    `state-denied: ${lacks(STATE)}; uncomment it in wit/plugin.wit, line 6`,
    `jobs-denied: ${lacks("clockbox:jobs/control@0.1.0")}; add \`import clockbox:jobs/control@0.1.0;\` to the world in wit/plugin.wit`,
    `http-denied: ${lacks("clockbox:http/client@0.1.0")}; add \`import clockbox:http/client@0.1.0;\` to the world in wit/plugin.wit`,
    `random-denied: ${lacks("wasi:random/random@0.2.0")}; add \`import wasi:random/random@0.2.0;\` to the world in wit/plugin.wit`,
  ]);
});

test("the build's check tells what the bundle takes from the host and the world lacks", () => {
  const check = () => run(fileURLToPath(new URL("../src/check.js", import.meta.url)), "job.json");
  const path = (path) => ({ path, kind: "import-statement", external: true });
  const imports = [path("clockbox:job/log@0.1.0"), path(STATE), path(STATE), { path: "other.js", kind: "import-statement" }];
  writeFileSync(join(folder, "job.json"), JSON.stringify({ inputs: {}, outputs: { "build/job.mjs": { imports, exports: ["runner"] } } }));
  writeFileSync(join(folder, "wit/plugin.wit"), world(`// import ${STATE};`));
  const refused = check();
  assert.equal(refused.status, 1);
  assert.equal(refused.stderr, `error: the job uses ${STATE}, which the world of the plugin does not import; uncomment it in wit/plugin.wit, line 6\n`);
  writeFileSync(join(folder, "wit/plugin.wit"), world(`import ${STATE};`));
  assert.deepEqual([check().status, check().stderr], [0, ""]);
});
