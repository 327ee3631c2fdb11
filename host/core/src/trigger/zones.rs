//! Time zones by name.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::error::TriggerError;

/// The zone of an IANA name such as `Asia/Shanghai`.
pub(super) fn named(name: &str) -> Result<Tz, TriggerError> {
    name.parse().map_err(|_| {
        let error = TriggerError::new("timezone", format!("{name:?} is no time zone"));
        match similar(name) {
            Some(zone) => error.with_hint(format!("did you mean {:?}?", zone.name())),
            None => {
                error.with_hint("write an IANA name such as \"Asia/Shanghai\", \"Europe/Berlin\" or \"UTC\"")
            }
        }
    })
}

/// A zone of the same name in other letters, or of the same city.
fn similar(name: &str) -> Option<Tz> {
    let plain = |name: &str| name.trim().replace(' ', "_").to_lowercase();
    let wanted = plain(name);
    let city = |name: &str| name.rsplit('/').next().map(str::to_owned);
    let same = TZ_VARIANTS.iter().find(|zone| plain(zone.name()) == wanted);
    same.or_else(|| TZ_VARIANTS.iter().find(|zone| city(&plain(zone.name())) == city(&wanted))).copied()
}
