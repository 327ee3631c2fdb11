// In the sandbox a plugin finds nothing but what its world imports, so a test of it finds no more.
import { readFileSync } from "node:fs";
import { FILE, missing } from "../world.js";

/** Refuses a call of an interface that wit/plugin.wit of this folder does not import. */
export function imported(name) {
  let text;
  try {
    text = readFileSync(FILE, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return; // not the project of a plugin
    throw error;
  }
  const lacking = missing(text, name);
  if (lacking !== undefined) throw { tag: "denied", val: `the world of the plugin does not import ${name}; ${lacking}` };
}
