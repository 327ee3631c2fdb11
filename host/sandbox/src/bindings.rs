//! Bindings of the package `clockbox:job`.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "job",
    exports: { default: async },
});
