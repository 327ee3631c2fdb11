import { host } from "../testing.host.js";
import { checkName, readChanges, readJob } from "./keys.native.js";
import { imported } from "./world.native.js";

const CONTROL = "clockbox:jobs/control@0.1.0";
const found = (name) => {
  imported(CONTROL);
  if (!(name in host.jobs)) throw { tag: "no-such-job", val: `there is no job "${name}"` };
  return host.jobs[name];
};

export const add = (name, job, onConflict) => {
  imported(CONTROL);
  checkName(name);
  const keys = readJob(job);
  if (!(name in host.jobs) || onConflict === "replace") host.jobs[name] = keys;
  else if (onConflict === "error") throw { tag: "job-exists", val: `there is a job "${name}" already` };
};
export const modify = (name, changes) => void Object.assign(found(name), readChanges(changes));
export const pause = (name, note) => {
  found(name).paused = { note };
};
export const resume = (name) => {
  found(name).paused = null;
};
export const remove = (name) => {
  found(name);
  delete host.jobs[name];
};
export const run = (name, args) => {
  found(name);
  host.runs.push([name, args === null ? undefined : JSON.parse(args)]);
};
export const list = () => {
  imported(CONTROL);
  return Object.keys(host.jobs).sort();
};
export const get = (name) => {
  imported(CONTROL);
  return name in host.jobs ? JSON.stringify(host.jobs[name]) : null;
};
