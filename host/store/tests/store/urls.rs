//! The helper that opens a store by its URL.

use clockbox_store::{Access, StoreError, StoreUrl, open};

use crate::support::{as_host, commit, job, put};

#[test]
fn a_relative_path_starts_at_the_folder_of_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let store = open("sqlite:clockbox.db", folder.path(), as_host()).unwrap();
    commit(&*store, &[put(&job("report"))]);
    assert!(folder.path().join("clockbox.db").is_file());
    let reader = open("sqlite:./clockbox.db", folder.path(), Access::ReadOnly).unwrap();
    assert_eq!(reader.jobs().unwrap().len(), 1);
}

#[test]
fn an_absolute_path_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b#?%41 é.db");
    open(&format!("sqlite:{}", path.display()), "nowhere".as_ref(), as_host()).unwrap();
    assert!(path.is_file());
}

#[test]
fn a_store_in_memory_is_for_the_host_alone() {
    assert!(open("memory:", "nowhere".as_ref(), as_host()).is_ok());
    let refused = open("memory:", "nowhere".as_ref(), Access::ReadOnly).err().unwrap();
    assert!(
        matches!(&refused, StoreError::Missing(message) if message.contains("ask the running host")),
        "{refused}"
    );
}

#[test]
fn what_is_not_the_url_of_a_store_is_refused_with_what_is() {
    let cases = [
        ("", "sqlite:, memory:"),
        ("postgres://db/clockbox", "sqlite:, memory:"),
        ("clockbox.db", "sqlite:, memory:"),
        ("SQLITE:clockbox.db", "sqlite:, memory:"),
        ("sqlite:", "the path is missing"),
        ("sqlite::memory:", "\"memory:\""),
        ("sqlite:///clockbox.db", "\"sqlite:clockbox.db\" (beside the manifest) or \"sqlite:/clockbox.db\""),
        ("sqlite:a\0b", "NUL"),
        ("memory:x", "alone"),
    ];
    for (url, expected) in cases {
        let message = url.parse::<StoreUrl>().unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains("is not the URL of a store"), "{message}");
        let StoreError::Open(opened) = open(url, ".".as_ref(), as_host()).err().unwrap() else {
            panic!("{url}")
        };
        assert_eq!(opened, message);
    }
}

#[test]
fn urls_print_as_they_are_read() {
    for url in ["memory:", "sqlite:clockbox.db", "sqlite:/var/lib/clockbox.db"] {
        assert_eq!(url.parse::<StoreUrl>().unwrap().to_string(), url);
    }
}
