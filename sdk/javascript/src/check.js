// A step of the build: whether the world imports what the bundle, as esbuild's metafile tells of it, takes from the host.
// usage: node check.js METAFILE, in the folder of the project
import { existsSync, readFileSync } from "node:fs";
import { FILE, missing } from "./world.js";

const { outputs } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const imports = Object.values(outputs).flatMap((output) => output.imports.filter(({ external }) => external));
const world = existsSync(FILE) ? readFileSync(FILE, "utf8") : undefined;
const lacking = new Map();
for (const { path } of imports) {
  const advice = world === undefined || !/^(clockbox|wasi):/.test(path) ? undefined : missing(world, path);
  if (advice !== undefined) lacking.set(path, advice);
}
for (const [path, advice] of lacking) console.error(`error: the job uses ${path}, which the world of the plugin does not import; ${advice}`);
process.exitCode = lacking.size === 0 ? 0 : 1;
