/** Numbers from 0 to below 1 that follow from a text: sfc32, whose state is mixed from it. */
export function generator(text) {
  const seed = (start) => {
    let word = start;
    for (let at = 0; at < text.length; at++) word = mixed(word ^ text.charCodeAt(at));
    return mixed(word);
  };
  // Variables and not an array: the engine is an interpreter.
  let [a, b, c, count] = [seed(1), seed(2), seed(3), 1];

  const next = () => {
    const word = (a + b + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word) | 0;
    return word;
  };
  for (let round = 0; round < 12; round++) next();
  // 53 bits, as many as a number holds.
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
}

function mixed(word) {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) + 0x9e3779b9;
}
