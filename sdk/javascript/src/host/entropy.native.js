import { randomBytes } from "node:crypto";
import { imported } from "./world.native.js";

export const getRandomBytes = (count) => {
  imported("wasi:random/random@0.2.0");
  return Uint8Array.from(randomBytes(count));
};
