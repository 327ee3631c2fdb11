/** What the world of a plugin imports, as far as its own file tells. */
export const FILE = "wit/plugin.wit";

/** What to do where the world in `text` does not import an interface, such as `clockbox:state/store@0.1.0`; undefined where it does. */
export function missing(text, name) {
  const written = name.replace("clockbox:job/", "").replace(/@.*/, "");
  const lines = text.replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, "")).split("\n");
  const imports = new RegExp(`\\bimport\\s+(clockbox:job/)?${written}\\s*[;@]`);
  for (const line of lines) {
    const code = line.replace(/\/\/.*/, "");
    // What another world brings in is not looked up.
    if (/\binclude\s/.test(code) || imports.test(code)) return undefined;
  }
  const at = lines.findIndex((line) => imports.test(line));
  if (at >= 0) return `uncomment it in ${FILE}, line ${at + 1}`;
  return `add \`import ${name.replace(/^clockbox:job\/([^@]*).*/, "$1")};\` to the world in ${FILE}`;
}
