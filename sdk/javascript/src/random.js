/** Numbers from 0 to below 1 that follow from a text: xoshiro128** over four words that are mixed from it. */
export function generator(text) {
  // They start apart, and each step maps different words to different ones: so they are never all zero, where it would stick.
  const state = Int32Array.of(1, 2, 3, 4).map((start) => {
    let word = start;
    for (let at = 0; at < text.length; at++) word = mixed(word ^ text.charCodeAt(at));
    return mixed(word);
  });

  const next = () => {
    const word = Math.imul(rotated(Math.imul(state[1], 5), 7), 9) >>> 0;
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotated(state[3], 11);
    return word;
  };
  // 53 bits, as many as a number holds.
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
}

const rotated = (word, by) => (word << by) | (word >>> (32 - by));

function mixed(word) {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) + 0x9e3779b9;
}
