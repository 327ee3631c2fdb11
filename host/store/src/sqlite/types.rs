//! How the nouns of the core become columns, and back.

use std::{fmt::Display, str::FromStr};

use clockbox_core::model::{RunId, Timestamp};
use rusqlite::{
    Result, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::de::DeserializeOwned;

use crate::micros::{from_micros, to_micros};

fn not_understood(message: String) -> FromSqlError {
    FromSqlError::Other(message.into())
}

/// A time as a column: microseconds since 1970.
pub(super) struct Time(pub(super) Timestamp);

impl ToSql for Time {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(to_micros(self.0).into())
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        from_micros(micros)
            .map(Self)
            .ok_or_else(|| not_understood(format!("{micros} is beyond the calendar")))
    }
}

/// A run id as a column.
pub(super) struct Id(pub(super) RunId);

impl ToSql for Id {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.as_i64().into())
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        RunId::from_i64(number).map(Self).ok_or_else(|| not_understood(format!("{number} is not a run id")))
    }
}

/// A name as a text column: of a job, a state, an outcome.
pub(super) struct Named<T>(pub(super) T);

impl<T: FromStr<Err: Display>> FromSql for Named<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(|e: T::Err| not_understood(e.to_string()))
    }
}

/// A value that is kept as JSON text.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_slice(value.as_bytes()?).map(Self).map_err(|e| not_understood(e.to_string()))
    }
}
