// What is written to the console goes to the run's log.
import { write } from "clockbox:job/log@0.1.0";

const show = (value) => {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
};
const at = (level) => (...values) => write(level, values.map(show).join(" "), []);

globalThis.console = {
  trace: at("trace"),
  debug: at("debug"),
  log: at("info"),
  info: at("info"),
  warn: at("warn"),
  error: at("error"),
};
