//! What the environment says of the export: the variables of OpenTelemetry.

use std::{str::FromStr, time::Duration};

use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::Resource;

/// Where spans are exported to, and how many wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The whole URL.
    pub endpoint: String,
    /// How long an export may take.
    pub timeout: Duration,
    /// The pause between two exports.
    pub delay: Duration,
    /// Spans that wait; what comes beyond is dropped.
    pub queue: usize,
    /// Spans of one export.
    pub batch: usize,
}

/// What the environment asks for and cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Another protocol than the one that there is.
    #[error("{variable} is {value:?}, and spans are exported by http/protobuf alone")]
    Protocol {
        /// The variable.
        variable: &'static str,
        /// What it says.
        value: String,
    },
    /// A variable that says no number.
    #[error("{variable} is {value:?}, which is no whole number above zero")]
    Number {
        /// The variable.
        variable: &'static str,
        /// What it says.
        value: String,
    },
}

impl Settings {
    /// An export to this URL, with what the specification says where the environment says nothing.
    #[must_use]
    pub fn to(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            timeout: Duration::from_secs(10),
            delay: Duration::from_secs(5),
            queue: 2048,
            batch: 512,
        }
    }

    /// What variables ask for; `None` where they ask for no export.
    ///
    /// Headers, service name, resource attributes, sampler and limits are read by OpenTelemetry's own library when the
    /// export starts.
    ///
    /// # Errors
    /// When they ask for what there is not.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, SettingsError> {
        let said =
            |name: &'static str| env(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let is_disabled = said("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let is_exported =
            said("OTEL_TRACES_EXPORTER").is_none_or(|list| list.split(',').any(|name| name.trim() == "otlp"));
        let base =
            || Some(format!("{}/v1/traces", said("OTEL_EXPORTER_OTLP_ENDPOINT")?.trim_end_matches('/')));
        let endpoint = said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(base);
        let Some(endpoint) = endpoint.filter(|_| is_exported && !is_disabled) else { return Ok(None) };
        let either = |of_traces: &'static str, of_all: &'static str| {
            said(of_traces).map(|value| (of_traces, value)).or_else(|| Some((of_all, said(of_all)?)))
        };
        match either("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL") {
            Some((variable, value)) if value != "http/protobuf" => {
                return Err(SettingsError::Protocol { variable, value });
            }
            _ => {}
        }
        let mut settings = Self::to(endpoint);
        if let Some(timeout) = either("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT") {
            settings.timeout = Duration::from_millis(number(timeout)?);
        }
        let one = |variable| Some((variable, said(variable)?));
        if let Some(delay) = one("OTEL_BSP_SCHEDULE_DELAY") {
            settings.delay = Duration::from_millis(number(delay)?);
        }
        if let Some(queue) = one("OTEL_BSP_MAX_QUEUE_SIZE") {
            settings.queue = number(queue)?;
        }
        if let Some(batch) = one("OTEL_BSP_MAX_EXPORT_BATCH_SIZE") {
            settings.batch = number(batch)?;
        }
        settings.batch = settings.batch.min(settings.queue);
        Ok(Some(settings))
    }
}

fn number<N: FromStr + Default + PartialEq>(
    (variable, value): (&'static str, String),
) -> Result<N, SettingsError> {
    let number = value.parse().ok().filter(|number| *number != N::default());
    number.ok_or(SettingsError::Number { variable, value })
}

/// Who exports, as the environment says; `clockbox` where it names no service.
pub(super) fn resource() -> Resource {
    let name = Key::from_static_str("service.name");
    let said = Resource::builder().build();
    let is_named = said.get(&name).is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let mut builder = Resource::builder();
    if !is_named {
        builder = builder.with_service_name("clockbox");
    }
    let version = Key::from_static_str("service.version");
    if said.get(&version).is_none() {
        builder = builder.with_attribute(KeyValue::new(version, env!("CARGO_PKG_VERSION")));
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, SettingsError> {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::from_env(&find)
    }

    const ALL: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c.example:4318/");
    const TRACES: (&str, &str) = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t.example/in");

    #[test]
    fn an_endpoint_switches_it_on() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(None));
        assert_eq!(read(&[ALL]), Ok(Some(Settings::to("http://c.example:4318/v1/traces"))));
        assert_eq!(read(&[ALL, TRACES]), Ok(Some(Settings::to("https://t.example/in"))));
    }

    #[test]
    fn it_can_be_switched_off_again() {
        assert_eq!(read(&[ALL, ("OTEL_SDK_DISABLED", "True")]), Ok(None));
        assert_eq!(read(&[ALL, ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
        assert!(
            read(&[ALL, ("OTEL_SDK_DISABLED", "false"), ("OTEL_TRACES_EXPORTER", "console, otlp")])
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn times_and_sizes_are_read() {
        let settings = read(&[
            ALL,
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2500"),
            ("OTEL_BSP_SCHEDULE_DELAY", "20"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ]);
        let wanted = Settings {
            timeout: Duration::from_millis(2500),
            delay: Duration::from_millis(20),
            queue: 100,
            batch: 100,
            ..Settings::to("http://c.example:4318/v1/traces")
        };
        assert_eq!(settings, Ok(Some(wanted)));
    }

    #[test]
    fn what_cannot_be_had_is_told_with_its_variable() {
        let error = read(&[ALL, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err();
        let wanted = "OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\", and spans are exported by http/protobuf alone";
        assert_eq!(error.to_string(), wanted);
        for value in ["0", "-1", "many"] {
            let error = read(&[ALL, ("OTEL_BSP_MAX_QUEUE_SIZE", value)]).unwrap_err();
            assert!(
                matches!(error, SettingsError::Number { variable: "OTEL_BSP_MAX_QUEUE_SIZE", .. }),
                "{value}"
            );
        }
    }
}
