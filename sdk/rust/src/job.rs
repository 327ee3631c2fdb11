//! From a typed function to the exported one.

use serde::{Serialize, de::DeserializeOwned};

use crate::JobError;

/// Makes a function the job of this plugin.
///
/// The function takes one argument, anything that serde can deserialize, and returns `Result<T, JobError>` for
/// anything that serde can serialize. Arguments that do not fit end the run as [`JobError::InvalidArgs`] without
/// calling the function. A job without arguments gets `()`, an `Option`, or a struct whose fields all have defaults.
///
/// `description` embeds a description of the job in TOML, which can be read without running it.
///
/// ```
/// use clockbox_sdk::{JobError, job};
///
/// #[derive(serde::Deserialize)]
/// struct Args {
///     name: String,
/// }
///
/// fn run(args: Args) -> Result<String, JobError> {
///     Ok(format!("hello {}", args.name))
/// }
///
/// job!(run, description = "name = \"hello\"");
/// ```
#[macro_export]
macro_rules! job {
    ($run:expr $(,)?) => {
        const _: () = {
            #[cfg(target_family = "wasm")]
            struct Job;
            #[cfg(target_family = "wasm")]
            impl $crate::__private::Guest for Job {
                fn run(args: $crate::__private::String) -> $crate::__private::WitOutput {
                    $crate::__private::call($run, &args).map_err(::core::convert::Into::into)
                }
            }
            #[cfg(target_family = "wasm")]
    $crate::__private::bindings::__export_job!(Job with_types_in $crate::__private::bindings);

            // Elsewhere the function is only checked, which also keeps it from being reported as unused.
            #[cfg(not(target_family = "wasm"))]
            const _: fn(&str) -> $crate::__private::Output = |args| $crate::__private::call($run, args);
        };
    };
    ($run:expr, description = $description:expr $(,)?) => {
        $crate::job!($run);
        const _: () = {
            const TEXT: &str = $description;
            #[cfg(target_family = "wasm")]
            #[expect(
                unsafe_code,
                reason = "the only way to write a custom section; no other item has this one's name"
            )]
            #[unsafe(link_section = "clockbox:job")]
            #[used]
            static SECTION: [u8; TEXT.len()] = $crate::__private::bytes(TEXT);
        };
    };
}

/// What comes out of a run: JSON text, if anything.
pub type Output = Result<Option<String>, JobError>;

/// What the exported function does: text in, function, text out.
pub fn call<A, T, F>(run: F, args: &str) -> Output
where
    A: DeserializeOwned,
    T: Serialize,
    F: FnOnce(A) -> Result<T, JobError>,
{
    let output = run(parse(args)?)?;
    let text = serde_json::to_string(&output)
        .map_err(|error| JobError::fatal("bad-output", format!("the output is not JSON: {error}")))?;
    // A unit or a `None` is no output at all.
    Ok((text != "null").then_some(text))
}

/// Reads the arguments. Having none can be written as no text, `null` or `{}`, whichever the type takes.
fn parse<A: DeserializeOwned>(args: &str) -> Result<A, JobError> {
    let parsed = match args.trim() {
        "" | "null" | "{}" => serde_json::from_str("null").or_else(|_| serde_json::from_str("{}")),
        _ => serde_json::from_str(args),
    };
    parsed.map_err(JobError::invalid_args)
}

/// The bytes of the description, for a static of its length.
#[must_use]
pub const fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let text = text.as_bytes();
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = text[at];
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Serialize, Default, PartialEq, Debug)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        name: String,
    }

    #[derive(Deserialize, Serialize)]
    #[serde(default)]
    struct Lenient {
        name: String,
    }

    impl Default for Lenient {
        fn default() -> Self {
            Self { name: "world".into() }
        }
    }

    fn echo<A: Serialize>(args: A) -> Result<A, JobError> {
        Ok(args)
    }

    fn refused<A: DeserializeOwned + Serialize>(args: &str) -> String {
        match call(echo::<A>, args).unwrap_err() {
            JobError::InvalidArgs(failure) => failure.message,
            other => panic!("not about the arguments: {other:?}"),
        }
    }

    #[test]
    fn args_reach_the_function_and_its_output_comes_back_as_json() {
        assert_eq!(call(echo::<Strict>, r#"{"name":"x"}"#).unwrap().unwrap(), r#"{"name":"x"}"#);
    }

    #[test]
    fn a_unit_or_a_none_is_no_output() {
        assert_eq!(call(echo::<()>, "null").unwrap(), None);
        assert_eq!(call(echo::<Option<u8>>, "null").unwrap(), None);
    }

    #[test]
    fn having_no_args_suits_units_options_and_structs_of_defaults() {
        for none in ["", " ", "null", "{}"] {
            assert_eq!(call(echo::<()>, none).unwrap(), None);
            assert_eq!(call(echo::<Option<Strict>>, none).unwrap(), None);
            assert_eq!(call(echo::<Lenient>, none).unwrap().unwrap(), r#"{"name":"world"}"#);
        }
    }

    #[test]
    fn args_that_do_not_fit_are_refused_with_the_reason_and_the_place() {
        assert_eq!(refused::<Strict>("null"), "missing field `name` at line 1 column 2");
        assert_eq!(
            refused::<Strict>(r#"{"name":1}"#),
            "invalid type: integer `1`, expected a string at line 1 column 9"
        );
        assert!(refused::<Strict>(r#"{"nam":"x"}"#).starts_with("unknown field `nam`, expected `name`"));
        assert!(refused::<()>(r#"{"a":1}"#).starts_with("invalid type: map, expected unit"));
    }

    #[test]
    fn output_that_json_cannot_hold_is_a_fatal_error() {
        let keys = std::collections::BTreeMap::from([((1, 2), 3)]);
        let error = call(|(): ()| Ok(keys), "null").unwrap_err();
        assert_eq!(error, JobError::fatal("bad-output", "the output is not JSON: key must be a string"));
    }

    #[test]
    fn the_functions_own_error_comes_through() {
        let fail = |(): ()| Err::<(), _>(JobError::cancelled("asked to stop"));
        assert_eq!(call(fail, "").unwrap_err(), JobError::cancelled("asked to stop"));
    }

    #[test]
    fn a_description_becomes_its_bytes() {
        const TEXT: &str = "name = \"ä\"";
        const BYTES: [u8; TEXT.len()] = bytes(TEXT);
        assert_eq!(BYTES, *TEXT.as_bytes());
    }
}
