/** What arguments may be. Each of these makes a type: it checks a value, and says where it does not fit. */
import { InvalidArgs } from "./errors.js";

const wrong = (path, expected, value) => {
  const shown = JSON.stringify(value) ?? String(value);
  return new InvalidArgs(`${path}: expected ${expected}, found ${shown.length > 60 ? typeof value : shown}`);
};

/** A type with its default, which is to fit it as any other value: a mistake of the job's that no run is to meet. */
function withDefault(options, read) {
  const hasDefault = "default" in options;
  if (hasDefault) {
    try {
      read(options.default, "default");
    } catch (error) {
      if (!(error instanceof InvalidArgs)) throw error;
      const advice = options.default === undefined || options.default === null ? "; optional(type) is what may be left out" : "";
      throw new TypeError(`args: ${error.message}${advice}`, { cause: error });
    }
  }
  return { default: options.default, hasDefault, read };
}

const plain = (expected, fits) => (options = {}) =>
  withDefault(options, (value, path) => {
    if (fits(value)) return value;
    throw wrong(path, expected, value);
  });

/** Text. */
export const string = plain("a string", (value) => typeof value === "string");
/** Any number. */
export const number = plain("a number", (value) => typeof value === "number");
/** A whole number. */
export const integer = plain("an integer", Number.isSafeInteger);
/** True or false. */
export const boolean = plain("true or false", (value) => typeof value === "boolean");
/** Whatever JSON holds. */
export const any = (options = {}) => plain("anything", () => true)({ default: undefined, ...options });

/** One of these values. */
export const choice = (values, options = {}) =>
  plain(values.map((value) => JSON.stringify(value)).join(" or "), (value) => values.includes(value))(options);

/** What may be left out or null, and is undefined then. */
export const optional = (type) => ({
  hasDefault: true,
  read: (value, path) => (value === null || value === undefined ? undefined : type.read(value, path)),
});

/** A list of items of one type. */
export const list = (item, options = {}) =>
  withDefault(options, (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, "a list", value);
    return value.map((each, index) => item.read(each, `${path}[${index}]`));
  });

/** An object with these fields and no others. */
export const object = (fields) => ({
  hasDefault: false,
  read(value, path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(path, "an object", value);
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(fields, key)) {
        throw new InvalidArgs(`${path}.${key}: unknown; known are: ${Object.keys(fields).join(", ") || "there are none"}`);
      }
    }
    const read = {};
    for (const [name, type] of Object.entries(fields)) {
      if (Object.hasOwn(value, name)) read[name] = type.read(value[name], `${path}.${name}`);
      else if (type.hasDefault) read[name] = type.default;
      else throw new InvalidArgs(`${path}.${name}: missing`);
    }
    return read;
  },
});

/** An object with values of one type under any names. */
export const record = (item) => ({
  hasDefault: false,
  read(value, path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(path, "an object", value);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, item.read(each, `${path}.${key}`)]));
  },
});
