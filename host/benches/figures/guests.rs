//! The guests that the sections run.

/// A job component that does nothing: as text, which sandbox and bare engine both take.
pub(crate) const NOOP: &[u8] = include_bytes!("guests/noop.wat");
/// A command that says one line.
pub(crate) const SAY: &[u8] = include_bytes!("guests/say.wat");
/// A command that sleeps for an hour in a call of the host.
pub(crate) const SLEEP: &[u8] = include_bytes!("guests/sleep.wat");
/// A command that never ends.
pub(crate) const SPIN: &[u8] = include_bytes!("guests/spin.wat");

/// The plugins that come with clockbox, each a Rust program: the first is `hello`.
pub(crate) const PREBUILT: [&[u8]; 4] = [
    include_bytes!("../../../plugins/prebuilt/hello.wasm"),
    include_bytes!("../../../plugins/prebuilt/http-check.wasm"),
    include_bytes!("../../../plugins/prebuilt/prune.wasm"),
    include_bytes!("../../../plugins/prebuilt/webhook.wasm"),
];

/// `hello` as a file that no other number yields: a custom section of its own.
pub(crate) fn distinct(n: usize) -> Vec<u8> {
    let mut bytes = PREBUILT[0].to_vec();
    let text = format!("{n:08}");
    // Id 0, the length of what follows, the length of the name, the name; then the content.
    bytes.extend([0, 10, 1, b'n']);
    bytes.extend(text.as_bytes());
    bytes
}
