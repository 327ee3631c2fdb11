/** The case of the interface's error that a call was refused with, where it was; the engine hands it over inside an Error. */
export function refusal(error) {
  const thrown = error?.payload ?? error;
  return typeof thrown?.tag === "string" ? thrown : undefined;
}
