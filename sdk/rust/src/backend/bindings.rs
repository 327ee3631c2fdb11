//! What wit-bindgen makes of `wit`.

wit_bindgen::generate!({
    path: "wit",
    world: "job",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "__export_job",
});
