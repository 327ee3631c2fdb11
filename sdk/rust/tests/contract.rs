//! The crate carries its own copy of the contract, because a published crate cannot reach outside its folder.

use std::{collections::BTreeMap, fs, path::Path};

/// Every `.wit` file below a folder: its path in there, and its text.
fn texts(folder: &Path, inside: &str, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{inside}/{}", path.file_name().unwrap().display());
        if path.is_dir() {
            texts(&path, &name, found);
        } else if name.ends_with(".wit") {
            found.insert(name, fs::read_to_string(&path).unwrap().replace("\r\n", "\n"));
        }
    }
}

#[test]
fn the_copy_of_the_contract_is_the_contract() {
    let (mut original, mut copy) = (BTreeMap::new(), BTreeMap::new());
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    texts(&crate_root.join("../../wit"), "wit", &mut original);
    texts(&crate_root.join("wit"), "wit", &mut copy);
    assert_eq!(original, copy, "copy what is in wit over sdk/rust/wit");
    assert_eq!(original.len(), 4);
}
