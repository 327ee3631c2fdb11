//! The tables of a trigger as written: the fields of a cron trigger, the parts of an interval, the calendar's steps.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, value::MapAccessDeserializer},
};

use super::{
    spec::{CronSpec, IntervalSpec},
    text::{self, FieldText},
};

/// The fields of a cron trigger, largest first.
///
/// A field that is not given takes its minimum where it comes after the last field given, and `*` otherwise (week and
/// day of week always `*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CronTable {
    /// 1970 to 9999; `*/n` counts from 1970.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub year: Option<FieldText>,
    /// 1 to 12 or jan to dec.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub month: Option<FieldText>,
    /// 1 to 31, `last`, `3rd fri`, `last sun`.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub day: Option<FieldText>,
    /// The ISO week, 1 to 53.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub week: Option<FieldText>,
    /// 0 (Monday) to 6 (Sunday) or mon to sun.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub day_of_week: Option<FieldText>,
    /// 0 to 23.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub hour: Option<FieldText>,
    /// 0 to 59.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub minute: Option<FieldText>,
    /// 0 to 59.
    #[serde(deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub second: Option<FieldText>,
}

/// The parts of an interval; their sum is its length.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct IntervalTable {
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub weeks: i64,
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub days: i64,
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub hours: i64,
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub minutes: i64,
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub seconds: i64,
}

/// A calendar trigger: every so many years, months, weeks and days from `start_date`, at a time of day.
///
/// Years and months are added first, keeping the day of the month and going on until the date exists; then weeks and
/// days. `start_date` and `end_date` (both inclusive) are compared with the date so found, even where a clock change
/// moves the fire into another day; the trigger's own `start` and `end` are instants and apply as well. Without a
/// `start_date` the trigger counts from the date of its `start`, else from that of its previous fire, else from today.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the other names say it all")]
pub struct CalendarTable {
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub years: i64,
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub months: i64,
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub weeks: i64,
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub days: i64,
    /// The hour of the day, 0 to 23.
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub hour: i64,
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub minute: i64,
    #[serde(deserialize_with = "whole", skip_serializing_if = "is_zero")]
    pub second: i64,
    /// The first date, such as `2030-11-06`.
    #[serde(deserialize_with = "text::date_time", skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Box<str>>,
    /// The last date.
    #[serde(deserialize_with = "text::date_time", skip_serializing_if = "Option::is_none")]
    pub end_date: Option<Box<str>>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A field that is there must hold a value: `null` is not the same as leaving it out.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FieldText>, D::Error> {
    FieldText::deserialize(deserializer).map(Some)
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = i64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number (without quotes)")
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
            i64::try_from(number).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
        }
    }
    deserializer.deserialize_any(Visitor)
}

/// Reads a text or a table; errors within the table keep their own message.
macro_rules! text_or_table {
    ($name:ident, $expected:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> de::Visitor<'de> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        Ok($name::Text(text.into()))
                    }
                    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        Deserialize::deserialize(MapAccessDeserializer::new(map)).map($name::Table)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    };
}

text_or_table!(IntervalSpec, "a duration such as \"2h\" or a table such as { hours = 2 }");
text_or_table!(
    CronSpec,
    "a crontab string such as \"30 5 * * *\" or a table such as { hour = 5, minute = 30 }"
);
