// Outside a sandbox Math.random stays what it is.
export const begin = () => {};
