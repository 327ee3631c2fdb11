//! Bindings of the package `clockbox:job` and those that its world imports.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "job",
    imports: { "clockbox:state/store": async, "clockbox:jobs/control": async, "clockbox:http/client": async },
    exports: { default: async },
});
