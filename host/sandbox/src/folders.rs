//! A failure that comes from a folder which was not granted. The guest's own library finds no folder for the path and asks the host
//! nothing, so that the failure's text is all there is to go by.

use clockbox_core::model::Rights;

/// What libraries say of a path that lies in no folder they were given: those of C and Rust, and Go's.
const OUTSIDE: [&str; 4] = ["Capabilities insufficient", "NotCapable", "os error 76", "Bad file number"];
/// What they say as well where they have no folder at all: Python's, and of a file that is not there.
const MISSING: [&str; 4] = ["No such file or directory", "[Errno 44]", "os error 44", "file not found"];

/// What to grant, where the text of a failure speaks of a folder that the guest does not have.
pub(crate) fn hint(reason: &str, rights: &Rights) -> Option<String> {
    let says = |texts: &[&str]| texts.iter().any(|text| reason.contains(text));
    let mut folders: Vec<&str> = rights.read.keys().chain(rights.write.keys()).map(String::as_str).collect();
    folders.dedup();
    if folders.is_empty() {
        let none = "it has no folder: add one to the plugin's allow.read or allow.write to grant it";
        return (says(&OUTSIDE) || says(&MISSING)).then(|| none.to_owned());
    }
    says(&OUTSIDE).then(|| {
        format!("the folders that it has are {}: allow.read and allow.write grant more", folders.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_a_folder_says_what_to_grant() {
        let none = Rights::default();
        for reason in [
            "io: open /data/x: Bad file number",
            "exit code 1: cannot open: Capabilities insufficient",
            "FileNotFoundError: [Errno 44] No such file or directory: '/data/x'",
        ] {
            assert!(hint(reason, &none).is_some_and(|hint| hint.contains("allow.read")), "{reason}");
        }
        assert_eq!(hint("broken: no use", &none), None);
    }

    #[test]
    fn where_there_are_folders_only_a_path_outside_of_them_is_told() {
        let rights = Rights { read: [("/data".to_owned(), "data".into())].into(), ..Rights::default() };
        assert_eq!(
            hint("open /other/x: Bad file number", &rights).as_deref(),
            Some("the folders that it has are /data: allow.read and allow.write grant more")
        );
        assert_eq!(hint("/data/x: No such file or directory", &rights), None);
    }
}
