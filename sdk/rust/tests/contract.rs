//! The crate carries its own copy of the contract, because a published crate cannot reach outside its folder.

use std::{fs, path::Path};

#[test]
fn the_copy_of_the_contract_is_the_contract() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let original = crate_root.join("../../wit/job.wit");
    let copy = crate_root.join("wit/job.wit");
    let text = |path: &Path| fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    assert_eq!(text(&original), text(&copy), "copy {} over {}", original.display(), copy.display());
}
