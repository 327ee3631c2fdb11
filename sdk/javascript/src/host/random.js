// The engine's own generator is seeded when the component is made: each run of a build would draw the same numbers.
import { attempt, jobId, runId } from "clockbox:job/context@0.1.0";
import { generator } from "../generator.js";

let draw = Math.random;
Math.random = () => draw();

/** From here on the numbers are those of this attempt of this run. */
export const begin = () => {
  draw = () => {
    draw = generator(`${jobId()} ${runId()} ${attempt()}`);
    return draw();
  };
};
