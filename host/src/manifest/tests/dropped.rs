//! Dropped plugins, their sidecars and their own descriptions.

use std::time::Duration;

use clockbox_core::model::{OutputFrom, Source};

use super::*;

fn file(name: &str) -> PluginFile {
    PluginFile::dropped(format!("jobs/{name}"))
}

fn load(text: &str, files: Vec<PluginFile>) -> Loaded {
    read(text, &Surroundings::with_files(files)).unwrap_or_else(|problems| panic!("{}", problems.render()))
}

fn whole(text: &str, files: Vec<PluginFile>) -> crate::manifest::Manifest {
    load(text, files).whole().unwrap_or_else(|problems| panic!("{}", problems.render()))
}

#[test]
fn a_sidecar_with_a_trigger_makes_a_job_of_the_folder() {
    let sidecar = "trigger = { interval = \"2h\" }\nargs = { n = 1 }\nmax_instances = 2\nallow = { http = [\"https://a.example\"] }\nlimits = { timeout = \"5s\" }\n";
    let manifest = whole("", vec![file("poll.wasm").with_sidecar(sidecar), file("idle.wat")]);
    let job = &manifest.jobs["poll"];
    assert_eq!(job.source, Source::Folder);
    assert_eq!(job.plugin.as_str(), "poll");
    assert_eq!(&*job.args, "{\"n\":1}");
    assert_eq!(job.policy.max_instances, 2);
    assert_eq!(manifest.declared["poll"].place.to_string(), "jobs/poll.toml:1:1");
    assert_eq!(manifest.plugins["poll"].rights.http.len(), 1);
    assert_eq!(manifest.plugins["poll"].limits.timeout, Duration::from_secs(5));
    assert_eq!(manifest.jobs.len(), 1, "a plugin without a trigger makes no job");
    assert_eq!(manifest.plugins["idle"].path, Path::new("jobs/idle.wat"));
}

#[test]
fn the_manifest_wins_over_the_sidecar_over_the_description() {
    let embedded = "config = { a = \"e\", b = \"e\", c = \"e\" }\npriority = 1\nargs = \"e\"\ntrigger = { interval = \"1h\" }\nmisfire_grace = \"1m\"\n";
    let sidecar = "config = { a = \"s\", b = \"s\" }\npriority = 2\nargs = \"s\"\nlimits = { timeout = \"1s\", memory = \"1MiB\" }\n";
    let text = "[defaults]\nmisfire_grace = \"9m\"\noverlap = \"wait\"\n[plugins.x]\nconfig = { a = \"m\" }\nlimits = { timeout = \"2s\" }\n[jobs.x]\nargs = \"m\"\n";
    let manifest = whole(text, vec![file("x.wasm").with_sidecar(sidecar).with_embedded(embedded)]);
    let plugin = &manifest.plugins["x"];
    let config: Vec<_> = plugin.config.values().map(String::as_str).collect();
    assert_eq!(config, ["m", "s", "e"]);
    assert_eq!((plugin.limits.timeout, plugin.limits.memory), (Duration::from_secs(2), 1 << 20));
    let job = &manifest.jobs["x"];
    assert_eq!(&*job.args, "\"m\"");
    assert_eq!(job.policy.priority, 2);
    assert_eq!(job.policy.misfire_grace, "1m".parse().unwrap(), "a description wins over [defaults]");
    assert_eq!(job.policy.overlap, clockbox_core::model::Overlap::Wait);
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(job.trigger.next_after(None, now), Some("2030-01-01T01:00:00Z".parse().unwrap()));
    assert_eq!(job.source, Source::Manifest);
}

#[test]
fn whoever_knows_the_program_can_say_where_its_output_comes_from() {
    let says = |text: &str| format!("output = {text:?}\n");
    let of = |manifest: &str, sidecar: Option<&str>, embedded: Option<&str>| {
        let mut x = file("x.wasm");
        x.sidecar = sidecar.map(|text| ("jobs/x.toml".into(), says(text)));
        x.embedded = embedded.map(says);
        whole(manifest, vec![x]).plugins["x"].output
    };
    let (last, returned) = (Some("last-line"), Some("returned"));
    assert_eq!(of("", None, None), OutputFrom::Returned);
    assert_eq!(of("", None, last), OutputFrom::LastLine);
    assert_eq!(of("", last, None), OutputFrom::LastLine);
    assert_eq!(of("", returned, last), OutputFrom::Returned);
    assert_eq!(of("[plugins.x]\noutput = \"last-line\"", returned, None), OutputFrom::LastLine);
    assert_eq!(of("[plugins.x]\noutput = \"returned\"", last, last), OutputFrom::Returned);
    // What a file says wrongly of itself refuses that file, unless somebody says better.
    let x = || file("x.wasm").with_embedded("output = \"last line\"");
    let loaded = load("", vec![x()]);
    let told = loaded.refused[0].problems.to_string();
    assert_eq!(
        told,
        "jobs/x.wasm (section clockbox:job):1:10: output: \"last line\" is not one of \"last-line\", \"returned\"\n  \
         hint: did you mean \"last-line\"?"
    );
    assert!(load("", vec![x().with_sidecar(says("returned"))]).refused.is_empty());
}

#[test]
fn a_manifest_job_that_uses_the_plugin_silences_its_own_job() {
    let files = || vec![file("x.wasm").with_sidecar("trigger = { interval = \"2h\" }\npriority = 3")];
    let manifest = whole("[jobs.nightly]\nplugin = \"x\"\n", files());
    let names: Vec<_> = manifest.jobs.keys().map(|id| id.as_str()).collect();
    assert_eq!(names, ["nightly"]);
    assert_eq!(manifest.jobs["nightly"].policy.priority, 0, "another job takes nothing over");
    let manifest = whole("[jobs.x]\nenabled = false\n", files());
    assert!(manifest.jobs.is_empty(), "a dropped job can be switched off");
}

#[test]
fn a_sidecar_may_name_its_job() {
    let sidecar = "name = \"nightly\"\ntrigger = { interval = \"2h\" }";
    let manifest = whole("", vec![file("x.wasm").with_sidecar(sidecar)]);
    assert_eq!(manifest.jobs["nightly"].plugin.as_str(), "x");
    let loaded =
        load("[jobs.nightly]\nplugin = \"y\"", vec![file("x.wasm").with_sidecar(sidecar), file("y.wasm")]);
    assert_eq!(loaded.manifest.jobs["nightly"].plugin.as_str(), "y");
    let message = &loaded.refused[0].problems.0[0];
    assert_eq!(
        brief(message),
        "2:1 : plugin x describes a job nightly, but there is another job of that name | rename it with name = \"…\" in the sidecar"
    );
}

#[test]
fn a_bad_sidecar_refuses_its_plugin_alone() {
    let files = || {
        vec![
            file("bad.wasm").with_sidecar("trigger = { interval = \"2h\" }\nlimts = 1\npool = \"nope\"\n"),
            file("good.wasm").with_sidecar("trigger = { interval = \"2h\" }"),
        ]
    };
    let loaded = load("[jobs.uses-it]\nplugin = \"bad\"\n", files());
    let refused = &loaded.refused[0];
    assert_eq!(refused.plugins, ["bad".parse().unwrap()]);
    assert_eq!(refused.jobs, ["uses-it".parse().unwrap()]);
    assert_eq!(
        refused.problems.to_string(),
        "jobs/bad.toml:2:1: limts: unknown key\n  hint: did you mean \"limits\"?\n\
         jobs/bad.toml:3:8: pool: there is no pool \"nope\"\n  hint: the pools are default"
    );
    let names: Vec<_> = loaded.manifest.jobs.keys().map(|id| id.as_str()).collect();
    assert_eq!(names, ["good"]);
    assert!(!loaded.manifest.plugins.contains_key("bad"));
    let problems = load("", files()).whole().unwrap_err();
    assert_eq!(problems.0.len(), 2, "check wants all to be well");
}

#[test]
fn a_problem_of_the_manifest_brings_those_of_the_sidecars_along() {
    let files = vec![file("bad.wasm").with_sidecar("x = = 1")];
    let problems = read("[pools.default]\nqueue = -1", &Surroundings::with_files(files)).unwrap_err();
    let places: Vec<_> = problems.0.iter().map(|problem| problem.place.to_string()).collect();
    assert_eq!(places, ["clockbox.toml:2:9", "jobs/bad.toml:1:5"]);
}

#[test]
fn a_description_cannot_grant_rights_or_raise_limits() {
    let embedded = "name = \"Fetch things\"\nversion = \"1.2\"\nargs_schema = { type = \"object\" }\nnew_key = 1\n\
                    allow = { http = [\"https://a.example\", \"https://b.example\"], read = [\"/data\"] }\n\
                    limits = { timeout = \"1h\", memory = \"1MiB\" }\n";
    let manifest = whole(
        "[plugins.x]\nallow = { http = [\"https://a.example\"] }",
        vec![file("x.wasm").with_embedded(embedded), file("y.wasm").with_embedded(embedded)],
    );
    let plugin = &manifest.plugins["y"];
    assert_eq!(plugin.rights, Default::default());
    assert_eq!((plugin.limits.timeout, plugin.limits.memory), (Duration::from_secs(60), 1 << 20));
    assert_eq!(manifest.wanted["y"].http.len(), 2);
    let warnings: Vec<_> = manifest.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "jobs/x.wasm: warning: plugin x asks for more than it is given: http https://b.example, read /data, timeout 1h (1m given)\n  \
             hint: if it should have that, write it under [plugins.x], or in jobs/x.toml",
            "jobs/x.wasm (section clockbox:job):4:1: warning: new_key: unknown key\n  hint: the keys here are allow, limits, \
             args, pool, trigger, misfire_grace, coalesce, max_instances, overlap, priority, delivery, retry, when_done, enabled, description, output, config, name, version, args_schema",
            "jobs/y.wasm: warning: plugin y asks for more than it is given: http https://a.example, http https://b.example, read /data, timeout 1h (1m given)\n  \
             hint: if it should have that, write it under [plugins.y], or in jobs/y.toml",
            "jobs/y.wasm (section clockbox:job):4:1: warning: new_key: unknown key\n  hint: the keys here are allow, limits, \
             args, pool, trigger, misfire_grace, coalesce, max_instances, overlap, priority, delivery, retry, when_done, enabled, description, output, config, name, version, args_schema",
        ]
    );
}

#[test]
fn a_sidecar_can_mend_a_description() {
    let embedded = "trigger = { interval = \"soon\" }\npriority = \"high\"";
    let loaded = load("", vec![file("x.wasm").with_embedded(embedded)]);
    let found: Vec<_> =
        loaded.refused[0].problems.0.iter().map(|problem| problem.place.to_string()).collect();
    assert_eq!(found, ["jobs/x.wasm (section clockbox:job):1:24", "jobs/x.wasm (section clockbox:job):2:12"]);
    let sidecar = "trigger = { interval = \"2h\" }\npriority = 1";
    let manifest = whole("", vec![file("x.wasm").with_embedded(embedded).with_sidecar(sidecar)]);
    assert_eq!(manifest.jobs["x"].policy.priority, 1);
}

#[test]
fn a_file_that_the_manifest_names_under_another_name_is_that_plugin_only() {
    let files = vec![file("v2.wasm").with_sidecar("config = { a = \"s\" }\ntrigger = { interval = \"2h\" }")];
    let manifest = whole("[plugins.report]\npath = \"jobs/v2.wasm\"", files);
    let names: Vec<_> = manifest.plugins.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["report"]);
    assert_eq!(manifest.plugins["report"].config["a"], "s");
    assert!(manifest.jobs.contains_key("v2") || manifest.jobs.is_empty());
}

#[test]
fn a_file_name_that_is_no_plugin_name_is_refused() {
    let loaded = load("", vec![file("my plugin.wasm"), file("ok.wasm")]);
    assert_eq!(
        loaded.refused[0].problems.to_string(),
        "jobs/my plugin.wasm: ' ' is not allowed in a plugin name\n  hint: use letters, digits, '.', '_', '-', ':' and '@'"
    );
    assert!(loaded.manifest.plugins.contains_key("ok"));
}
