//! What wit-bindgen makes of `wit/job.wit`.

wit_bindgen::generate!({
    path: "wit",
    world: "job",
    pub_export_macro: true,
    export_macro_name: "__export_job",
});
