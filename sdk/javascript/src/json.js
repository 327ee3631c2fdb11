/** The JSON text of a value. What JSON would quietly make something else of is a TypeError that says where it is. */
export function toJson(value, name) {
  let refused = false;
  const text = JSON.stringify(value, (_, each) => {
    refused ||= why(each) !== undefined;
    return each;
  });
  if (refused) refuse(value, name);
  if (text === undefined) throw new TypeError(`${name} is a ${typeof value}, which cannot be written as JSON`);
  return text;
}

function why(value) {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `is ${value}, which JSON has no word for`;
  if (typeof value !== "object" || value === null) return undefined;
  if (value instanceof Map) return "is a Map, which JSON makes {} of; give Object.fromEntries(map)";
  if (value instanceof Set) return "is a Set, which JSON makes {} of; give [...set]";
  return ArrayBuffer.isView(value) ? "is bytes, which JSON makes an object of; give [...bytes]" : undefined;
}

/** Once more, for the place: to keep them all takes as long again, and not every value is to pay for it. */
function refuse(value, name) {
  const places = new Map();
  JSON.stringify(value, function (key, each) {
    const holder = places.get(this);
    const place = holder === undefined ? name : Array.isArray(this) ? `${holder}[${key}]` : `${holder}.${key}`;
    const reason = why(each);
    if (reason !== undefined) throw new TypeError(`${place} ${reason}`);
    places.set(each, place);
    return each;
  });
}
