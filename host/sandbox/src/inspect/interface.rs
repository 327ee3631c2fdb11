//! The interfaces that clockbox knows: which versions, and which right each one needs.

use clockbox_core::model::Rights;

use crate::PluginError;

/// One family of interfaces of one version line.
struct Family {
    /// Up to and including the slash.
    package: &'static str,
    /// The interfaces a plugin may import.
    imports: &'static [&'static str],
    /// The interfaces a plugin may export as its entry.
    exports: &'static [&'static str],
    version: Version,
}

enum Version {
    /// Every patch of this line.
    Line(&'static str),
    /// This very version: pre-releases are not compatible with one another.
    Exactly(&'static str),
}

const WASI: Version = Version::Line("0.2");

const FAMILIES: [Family; 12] = [
    Family {
        package: "clockbox:job/",
        imports: &["types", "context", "log", "progress"],
        exports: &["runner"],
        version: Version::Line("0.1"),
    },
    Family { package: "clockbox:state/", imports: &["store"], exports: &[], version: Version::Line("0.1") },
    Family { package: "clockbox:jobs/", imports: &["control"], exports: &[], version: Version::Line("0.1") },
    Family { package: "clockbox:http/", imports: &["client"], exports: &[], version: Version::Line("0.1") },
    Family {
        package: "wasi:cli/",
        imports: &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
        exports: &["run"],
        version: WASI,
    },
    Family { package: "wasi:io/", imports: &["error", "poll", "streams"], exports: &[], version: WASI },
    Family {
        package: "wasi:clocks/",
        imports: &["wall-clock", "monotonic-clock"],
        exports: &[],
        version: WASI,
    },
    Family {
        package: "wasi:random/",
        imports: &["random", "insecure", "insecure-seed"],
        exports: &[],
        version: WASI,
    },
    Family { package: "wasi:filesystem/", imports: &["types", "preopens"], exports: &[], version: WASI },
    Family {
        package: "wasi:sockets/",
        imports: &[
            "network",
            "instance-network",
            "ip-name-lookup",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
        ],
        exports: &[],
        version: WASI,
    },
    Family { package: "wasi:http/", imports: &["types", "outgoing-handler"], exports: &[], version: WASI },
    Family {
        package: "wasi:config/",
        imports: &["store"],
        exports: &[],
        version: Version::Exactly("0.2.0-rc.1"),
    },
];

impl Version {
    fn covers(&self, found: Option<&str>) -> bool {
        match self {
            Self::Exactly(version) => found == Some(*version),
            Self::Line(line) => found
                .and_then(|found| found.strip_prefix(line)?.strip_prefix('.'))
                .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit())),
        }
    }

    fn name(&self, interface: &str) -> String {
        match self {
            Self::Exactly(version) => format!("{interface}@{version}"),
            Self::Line(line) => format!("{interface}@{line}.x"),
        }
    }
}

/// Splits `wasi:cli/run@0.2.3` into the interface and its version.
fn split(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(interface, version)| (interface, Some(version)))
}

fn family(interface: &str) -> Option<(&'static Family, &str)> {
    FAMILIES.iter().find_map(|family| Some((family, interface.strip_prefix(family.package)?)))
}

/// The right that an import is good for, as written under `allow`; `None` where none is needed or none exists yet.
pub(super) fn right(name: &str) -> Option<&'static str> {
    let (interface, _) = split(name);
    match interface {
        "wasi:http/outgoing-handler" | "clockbox:http/client" => Some("http"),
        "wasi:cli/environment" => Some("env"),
        // `context` has the configuration of a job component.
        "wasi:config/store" | "clockbox:job/context" => Some("secrets"),
        "clockbox:state/store" => Some("state"),
        "clockbox:jobs/control" => Some("jobs"),
        _ if interface.starts_with("wasi:filesystem/") => Some("read"),
        "wasi:sockets/ip-name-lookup" => Some("dns"),
        _ if interface.starts_with("wasi:sockets/") => Some("tcp"),
        _ => None,
    }
}

/// Whether a plugin that imports what this right is good for is refused without it.
pub(super) fn is_required(right: &str) -> bool {
    matches!(right, "http" | "state" | "jobs")
}

/// Whether an import is provided, and granted by `rights`.
///
/// Only outgoing HTTP, `state` and `jobs` are reasons to refuse: every toolchain imports files, sockets and the
/// environment whether or not the program uses them, so these are there and empty, or refuse each call.
pub(super) fn check_import(name: &str, rights: &Rights) -> Result<(), PluginError> {
    let (interface, version) = split(name);
    let unknown = || PluginError::UnknownImport { import: name.to_owned() };
    let (family, rest) = family(interface).ok_or_else(unknown)?;
    if !family.version.covers(version) {
        return Err(wrong_version(true, name, family, interface));
    }
    if !family.imports.contains(&rest) {
        return Err(unknown());
    }
    let is_granted = |right| match right {
        "http" => !rights.http.is_empty(),
        "state" => rights.state,
        "jobs" => rights.jobs.is_some(),
        _ => true,
    };
    match right(name) {
        Some(right) if !is_granted(right) => Err(PluginError::NotGranted { import: name.to_owned(), right }),
        _ => Ok(()),
    }
}

/// Whether `name` is the export `interface` (such as `wasi:cli/run`) in a supported version.
///
/// # Errors
/// When it is that interface in another version.
pub(super) fn is_export(name: &str, interface: &str) -> Result<bool, PluginError> {
    let (found, version) = split(name);
    if found != interface {
        return Ok(false);
    }
    match family(interface) {
        Some((family, rest)) if family.exports.contains(&rest) => {
            if family.version.covers(version) {
                Ok(true)
            } else {
                Err(wrong_version(false, name, family, interface))
            }
        }
        _ => Ok(false),
    }
}

fn wrong_version(import: bool, name: &str, family: &Family, interface: &str) -> PluginError {
    PluginError::WrongVersion { import, name: name.to_owned(), supported: family.version.name(interface) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str) -> Result<(), PluginError> {
        check_import(name, &Rights::default())
    }

    #[test]
    fn every_patch_of_wasi_0_2_is_known() {
        for patch in ["0.2.0", "0.2.6", "0.2.12", "0.2.99"] {
            assert_eq!(check(&format!("wasi:io/streams@{patch}")), Ok(()));
        }
    }

    #[test]
    fn other_lines_and_prereleases_are_a_wrong_version() {
        for version in ["0.3.0", "0.2.0-rc-2023-11-10", "0.2", "0.20.1", "1.0.0"] {
            let name = format!("wasi:cli/stdout@{version}");
            assert!(matches!(check(&name), Err(PluginError::WrongVersion { import: true, .. })), "{name}");
        }
        assert!(matches!(check("wasi:cli/stdout"), Err(PluginError::WrongVersion { .. })));
        assert!(is_export("clockbox:job/runner@0.2.0", "clockbox:job/runner").is_err());
    }

    #[test]
    fn what_nobody_provides_is_named() {
        for name in ["wasi:nn/graph@0.2.0", "wasi:cli/nonsense@0.2.0", "acme:db/query@1.0.0", "callback"] {
            assert_eq!(check(name), Err(PluginError::UnknownImport { import: name.to_owned() }));
        }
    }

    #[test]
    fn files_and_sockets_need_no_right_to_load_and_http_does() {
        assert_eq!(check("wasi:filesystem/types@0.2.3"), Ok(()));
        assert_eq!(check("wasi:sockets/tcp@0.2.3"), Ok(()));
        assert_eq!(check("wasi:http/types@0.2.3"), Ok(()));
        let name = "wasi:http/outgoing-handler@0.2.3";
        assert_eq!(check(name), Err(PluginError::NotGranted { import: name.to_owned(), right: "http" }));
        let rights = Rights {
            http: vec![clockbox_core::model::HttpGrant::to("https://a.example".parse().unwrap())],
            ..Rights::default()
        };
        assert_eq!(check_import(name, &rights), Ok(()));
    }

    #[test]
    fn state_and_jobs_need_their_rights_to_load() {
        let rights = Rights { state: true, jobs: Some(Default::default()), ..Rights::default() };
        for (name, right) in
            [("clockbox:state/store@0.1.0", "state"), ("clockbox:jobs/control@0.1.3", "jobs")]
        {
            assert_eq!(check(name), Err(PluginError::NotGranted { import: name.to_owned(), right }));
            assert_eq!(check_import(name, &rights), Ok(()));
        }
        assert!(matches!(check("clockbox:state/store@0.2.0"), Err(PluginError::WrongVersion { .. })));
    }
}
