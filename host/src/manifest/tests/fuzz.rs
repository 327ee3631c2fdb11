//! No text makes the reader panic, and every problem can be shown.

use proptest::prelude::*;

use super::*;

const SEED: &str = include_str!("seed.toml");

fn survives(text: &str) -> Result<(), TestCaseError> {
    let files = vec![
        PluginFile::dropped("jobs/hello.wasm").with_sidecar(text).with_embedded(text),
        PluginFile::dropped("jobs/report.wasm"),
    ];
    let loaded = parse(text, Path::new("m.toml"), &Overrides::default(), &Surroundings::with_files(files));
    let problems = match loaded {
        Ok(loaded) => {
            // A job is there, or refused and said to be, or switched off: none is lost silently.
            for (id, declared) in &loaded.manifest.declared {
                let refused = loaded.refused.iter().any(|refused| refused.jobs.contains(id));
                prop_assert!(!declared.enabled || refused || loaded.manifest.jobs.contains_key(id), "{id}");
            }
            loaded.refused.into_iter().flat_map(|refused| refused.problems.0).collect()
        }
        Err(problems) => {
            prop_assert!(!problems.0.is_empty());
            problems.0
        }
    };
    for problem in problems {
        let shown = problem.render();
        prop_assert!(!shown.is_empty() && !problem.message.is_empty());
        prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{shown:?}");
        prop_assert!(problem.place.position().is_none_or(|(line, column)| line > 0 && column > 0));
    }
    Ok(())
}

/// What to put into a valid manifest to break it.
fn splinter() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,6}",
        prop::sample::select(vec![
            "[",
            "]",
            "{",
            "}",
            "=",
            "\"",
            "'''",
            "\n",
            "\r\n",
            "\t",
            ".",
            ",",
            "#",
            "0",
            "-1",
            "1e999",
            "nan",
            "[[jobs]]\n",
            "\n[jobs.hello]\n",
            "\u{0}",
            "\u{7f}",
            "\u{feff}",
            "é",
            "99999999999999999999",
            "2030-13-45",
            "true",
            "trigger = ",
            "a.b.c = 1\n",
            "interval",
            "\"\\u0000\"",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_survived(text in any::<String>()) {
        survives(&text)?;
    }

    #[test]
    fn text_of_toml_parts_is_survived(parts in prop::collection::vec(splinter(), 0..30)) {
        survives(&parts.concat())?;
    }

    #[test]
    fn a_damaged_manifest_is_survived(
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, splinter()), 1..5)
    ) {
        let mut chars: Vec<char> = SEED.chars().collect();
        for (at, cut, splinter) in damage {
            let at = at.index(chars.len() + 1);
            let until = (at + cut).min(chars.len());
            chars.splice(at..until, splinter.chars());
        }
        survives(&chars.into_iter().collect::<String>())?;
    }

    #[test]
    fn arbitrary_flags_and_variables_are_survived(flag in "\\PC*", name in "[A-Z_]{0,20}", value in any::<String>()) {
        let variable = [(format!("CLOCKBOX_{name}"), value)];
        let overrides = Overrides::from_env(variable).with_flag(flag.clone()).with_flag(format!("jobs.{flag}=1"));
        if let Err(problems) = parse(SEED, Path::new("m.toml"), &overrides, &hello()) {
            prop_assert!(!problems.render().is_empty());
        }
    }
}
