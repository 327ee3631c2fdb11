//! How single values of a trigger are written: field texts that may be numbers, date-times that may be TOML's own.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, de};

/// One field of a cron table as written: `5`, `"*/15"`, `"mon-fri"`.
///
/// ```
/// use clockbox_core::trigger::FieldText;
/// assert_eq!(FieldText::from(5), FieldText::from("5"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct FieldText(Box<str>);

impl FieldText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for FieldText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<i64> for FieldText {
    fn from(number: i64) -> Self {
        Self(number.to_string().into())
    }
}

impl<'de> Deserialize<'de> for FieldText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = FieldText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a text such as \"*/15\"")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<FieldText, E> {
                Ok(FieldText::from(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<FieldText, E> {
                Ok(FieldText(number.to_string().into()))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<FieldText, E> {
                Ok(FieldText::from(text))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Reads a date-time: a text, or what a TOML reader hands over for one written without quotes.
pub(super) fn date_time<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'t> From<&'t str>,
{
    struct Visitor<T>(PhantomData<T>);
    impl<'de, T: for<'t> From<&'t str>> de::Visitor<'de> for Visitor<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a date-time such as \"2030-11-06 16:30:05\"")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            Ok(text.into())
        }
        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
            // The key under which the toml crate passes its own date-times through serde.
            match map.next_entry::<String, String>()? {
                Some((key, text)) if key == "$__toml_private_datetime" => Ok(text.as_str().into()),
                _ => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
            }
        }
    }
    deserializer.deserialize_any(Visitor(PhantomData)).map(Some)
}
