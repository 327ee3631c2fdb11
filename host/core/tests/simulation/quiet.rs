//! Panics that are looked for are told once, by whoever looks for them.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, PanicHookInfo},
    sync::Once,
};

thread_local! {
    /// Set while this thread looks for panics: what the latest one said.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs something; the error is what its panic said, and where.
pub(crate) fn catch<T>(what: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let is_heard = SAID.with_borrow_mut(|said| {
                let Some(said) = said else { return false };
                let text = info.payload_as_str().unwrap_or("a panic");
                let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
                *said = format!("{text}{}", place.unwrap_or_default());
                true
            });
            if !is_heard {
                usual(info);
            }
        }));
    });
    SAID.set(Some(String::new()));
    let done = std::panic::catch_unwind(AssertUnwindSafe(what));
    let said = SAID.take().unwrap_or_default();
    done.map_err(|_| said)
}
