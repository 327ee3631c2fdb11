//! Whether Rust has the target that a project is built for: a compiler tells that it has not only at the first crate for it,
//! after all that runs on the machine itself has been compiled.

use std::{fs, io, path::Path, process::Command};

/// The target that a command of cargo builds for, where it is one of WebAssembly.
pub(crate) fn target_of(command: &[String]) -> Option<&str> {
    let (program, args) = command.split_first()?;
    let given = args.iter().zip(args.iter().skip(1)).find(|(flag, _)| *flag == "--target");
    let target = given.map(|(_, target)| target.as_str());
    let target = target.or_else(|| args.iter().find_map(|arg| arg.strip_prefix("--target=")));
    target.filter(|target| program == "cargo" && target.starts_with("wasm32-"))
}

/// Whether the cargo that `cargo` runs lacks a target's standard library. It builds an empty crate within the project, as
/// cargo alone knows its compiler: a toolchain file, a configuration or a program of that name may choose another one.
///
/// Nothing is said where it fails for another reason: the build itself tells that best.
///
/// # Errors
/// When the empty crate cannot be written.
pub(crate) fn lacks(project: &Path, target: &str, mut cargo: Command) -> io::Result<bool> {
    fs::create_dir_all(project.join("target"))?;
    let probe = tempfile::Builder::new().prefix(".clockbox-").tempdir_in(project.join("target"))?;
    let manifest = "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n";
    fs::write(probe.path().join("Cargo.toml"), manifest)?;
    fs::create_dir(probe.path().join("src"))?;
    fs::write(probe.path().join("src/lib.rs"), "")?;
    let words = ["build", "--offline", "--target", target, "--target-dir", "target", "--color", "never"];
    let ran = cargo.args(words).current_dir(probe.path()).output();
    // What cannot be run at all is told when it is run in earnest.
    Ok(ran.is_ok_and(|ran| !ran.status.success() && says_so(&String::from_utf8_lossy(&ran.stderr))))
}

/// Whether this is how Rust says that it has no standard library for a target.
fn says_so(said: &str) -> bool {
    said.contains("error[E0463]") && said.contains("target may not be installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_its_target() {
        let target = |command: &str| {
            let words: Vec<String> = command.split(' ').map(ToOwned::to_owned).collect();
            target_of(&words).map(ToOwned::to_owned)
        };
        let target_of_all = |command: &str| target(command).unwrap_or_default();
        assert_eq!(target_of_all("cargo build --release --target wasm32-wasip2 -q"), "wasm32-wasip2");
        assert_eq!(target_of_all("cargo build --target=wasm32-wasip1"), "wasm32-wasip1");
        for other in [
            "cargo build",
            "cargo build --target x86_64-unknown-linux-gnu",
            "clang --target wasm32-wasi",
            "cargo --target",
        ] {
            assert_eq!(target(other), None, "{other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_answer_is_that_of_the_cargo_that_is_run_within_the_project() {
        let project = tempfile::tempdir().unwrap();
        let ask = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script, "cargo"]);
            lacks(project.path(), "wasm32-wasip2", shell).unwrap()
        };
        let refused = "echo \"error[E0463]: can't find crate for std\" >&2
                       echo ' = note: the wasm32-wasip2 target may not be installed' >&2
                       exit 101";
        assert!(ask(refused));
        let within = "test \"$4\" = wasm32-wasip2 && test -f src/lib.rs || exit 0
                      case $PWD in */target/.clockbox-*) ;; *) exit 0 ;; esac\n";
        assert!(ask(&format!("{within}{refused}")));
        assert!(!ask("exit 0"));
        assert!(!ask("echo 'error: no space left' >&2; exit 101"), "another reason");
        assert!(!lacks(project.path(), "wasm32-wasip2", Command::new("/nowhere/cargo")).unwrap());
        assert_eq!(fs::read_dir(project.path().join("target")).unwrap().count(), 0, "it leaves nothing");
    }
}
