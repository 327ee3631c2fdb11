import { host } from "../testing.host.js";

const found = (name) => {
  if (!(name in host.jobs)) throw { tag: "no-such-job", val: `there is no job "${name}"` };
  return host.jobs[name];
};

export const add = (name, job, onConflict) => {
  if (!(name in host.jobs) || onConflict === "replace") host.jobs[name] = JSON.parse(job);
  else if (onConflict === "error") throw { tag: "job-exists", val: `there is a job "${name}" already` };
};
export const modify = (name, changes) => void Object.assign(found(name), JSON.parse(changes));
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
export const list = () => Object.keys(host.jobs).sort();
export const get = (name) => (name in host.jobs ? JSON.stringify(host.jobs[name]) : null);
