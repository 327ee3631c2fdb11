//! Flags and environment variables over the manifest.

use super::*;
use crate::manifest::Place;

fn with(text: &str, overrides: &Overrides) -> Result<super::super::Manifest, Vec<String>> {
    let loaded = parse(text, Path::new("clockbox.toml"), overrides, &hello());
    let show = |problem: &Problem| problem.to_string();
    loaded.and_then(Loaded::whole).map_err(|problems| problems.0.iter().map(show).collect())
}

#[test]
fn flags_win_over_variables_over_the_manifest() {
    let text = "[pools.default]\nmax_instances = 1\nqueue = 1\n[pools.b]\nmax_instances = 1";
    let overrides = Overrides::from_env([
        ("CLOCKBOX_POOLS__DEFAULT__MAX_INSTANCES", "2"),
        ("CLOCKBOX_POOLS__B__MAX_INSTANCES", "2"),
        ("CLOCKBOX_LOG", "debug"),
        ("OTHER_POOLS__B__X", "2"),
    ])
    .with_flag("pools.default.max_instances=3")
    .with_flag("pools.default.max_instances=4");
    let manifest = with(text, &overrides).unwrap();
    assert_eq!(manifest.pools["default"].max_instances, 4);
    assert_eq!(manifest.pools["default"].queue, 1);
    assert_eq!(manifest.pools["b"].max_instances, 2);
}

#[test]
fn a_value_is_toml_where_it_can_be_and_text_otherwise() {
    let overrides = Overrides::default()
        .with_flag("jobs.hello.trigger = { interval = \"2h\" }")
        .with_flag("jobs.hello.args=[1, 2]")
        .with_flag("jobs.\"a.b\".plugin=hello")
        .with_flag("jobs.hello.description==x=")
        .with_flag("store.url=memory:");
    let manifest = with("", &overrides).unwrap();
    assert_eq!(&*manifest.jobs["hello"].args, "[1,2]");
    assert_eq!(manifest.jobs["a.b"].plugin.as_str(), "hello");
    assert_eq!(manifest.declared["hello"].description.as_deref(), Some("=x="));
    assert_eq!(manifest.store.url, "memory:");
}

#[test]
fn a_variable_finds_names_whose_letters_it_cannot_spell() {
    let text = "[jobs.Night-Report]\nplugin = \"hello\"";
    let overrides = Overrides::from_env([("CLOCKBOX_JOBS__NIGHT_REPORT__PRIORITY", "5")]);
    assert_eq!(with(text, &overrides).unwrap().jobs["Night-Report"].policy.priority, 5);
}

#[test]
fn a_problem_of_an_override_names_it_in_place_of_a_line() {
    let overrides =
        Overrides::from_env([("CLOCKBOX_POOLS__DEFAULT__MAX_INSTANCES", "many"), ("CLOCKBOX_A____B", "1")])
            .with_flag("pools.default.quue=3")
            .with_flag("nonsense")
            .with_flag("jobs.x.=1")
            .with_flag("jobs.hello.pool.deep=1");
    let found = with("[jobs.hello]\npool = \"default\"", &overrides).unwrap_err();
    assert_eq!(
        found,
        [
            "CLOCKBOX_A____B: a level of the key is empty\n  hint: write CLOCKBOX_SECTION__NAME__KEY=value",
            "CLOCKBOX_POOLS__DEFAULT__MAX_INSTANCES: pools.default.max_instances: expected an integer, found the string \"many\"",
            "--set pools.default.quue=3: pools.default.quue: unknown key\n  hint: did you mean \"queue\"?",
            "--set nonsense: is not a key and a value\n  hint: write --set section.key=value, for instance --set pools.default.max_instances=20",
            "--set jobs.x.=1: is not a key and a value\n  hint: write --set section.key=value, for instance --set pools.default.max_instances=20",
            "--set jobs.hello.pool.deep=1: jobs.hello.pool: is the string \"default\" in the manifest, so nothing can be set in it\n  hint: set the whole of it",
        ]
    );
}

#[test]
fn an_override_may_choose_the_plugin_folder() {
    let document = crate::manifest::document::Document::new(
        &"".into(),
        Path::new("etc/clockbox.toml"),
        &Overrides::default().with_flag("scheduler.plugin_dir=/srv/plugins"),
    );
    assert_eq!(document.plugin_dir(), Path::new("/srv/plugins"));
}

#[test]
fn the_json_of_a_problem_names_the_flag() {
    let loaded = parse("", Path::new("c.toml"), &Overrides::default().with_flag("x=1"), &hello());
    let problem = loaded.unwrap_err().0.remove(0);
    assert_eq!(problem.place, Place::Flag { flag: "x=1".into() });
    let json = serde_json::to_value(&problem).unwrap();
    assert_eq!((&json["source"], &json["flag"]), (&"flag".into(), &"x=1".into()));
}
