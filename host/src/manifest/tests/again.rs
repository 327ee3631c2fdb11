//! A manifest that is read in parts, or again after a change, says what it says when it is read as a whole.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::manifest::{
    Manifest,
    document::{Document, parse_again},
    known::Known,
};

fn file() -> &'static Path {
    Path::new("clockbox.toml")
}

fn whole(text: &str, around: &Surroundings<'_>) -> Result<Loaded, Problems> {
    Document::new(&text.into(), file(), &Overrides::default()).read(around)
}

fn again(old: &Manifest, text: &str, around: &Surroundings<'_>) -> Result<Loaded, Problems> {
    parse_again(&text.into(), file(), &Overrides::default(), around, &old.known)
}

/// Reads what must be right after `old`, and holds it against the text as a whole.
#[track_caller]
fn good_again(old: &Manifest, text: &str) -> Manifest {
    let loaded = again(old, text, &hello());
    assert_eq!(loaded, whole(text, &hello()));
    loaded.unwrap().whole().unwrap()
}

/// Whether the job was taken over without being read.
fn is_kept(job: &str, old: &Manifest, new: &Manifest) -> bool {
    Arc::ptr_eq(&old.jobs[job], &new.jobs[job])
}

fn job(name: &str, rest: &str) -> String {
    format!("[jobs.{name}]\nplugin = \"hello\"\ntrigger = {{ cron = \"0 5 * * *\" }}\n{rest}\n")
}

#[test]
fn only_what_changed_is_read_again() {
    let text = |b: &str| {
        [job("a", ""), job("b", b), job("c", ""), job("d", "enabled = false"), job("e", "")].concat()
    };
    let old = good(&text(""));
    let new = good_again(&old, &text("args = { \"é\" = 1 }\n# and a line more"));
    assert_eq!(&*new.jobs["b"].args, "{\"é\":1}");
    // The first of a row of sections is read in any case, as is the changed one.
    let kept: Vec<bool> = ["a", "b", "c", "e"].map(|name| is_kept(name, &old, &new)).to_vec();
    assert_eq!(kept, [false, false, true, true]);
    assert!(!new.declared["d"].enabled);
    assert_eq!(new.declared["e"].place.position(), Some((18, 7)));
    assert!(is_kept("e", &new, &good_again(&new, &text("").replace("\n[jobs.a]", "\n\n\n[jobs.a]"))));
}

#[test]
fn a_job_that_moves_is_not_read_again_and_one_that_goes_is_gone() {
    let old = good(&[job("a", ""), job("b", ""), job("c", "priority = 3"), job("d", "")].concat());
    let new = good_again(&old, &[job("d", ""), job("c", "priority = 3"), job("a", "")].concat());
    assert!(is_kept("c", &old, &new));
    assert_eq!(new.jobs.len(), 3);
}

#[test]
fn what_jobs_are_read_against_counts() {
    let jobs = [job("a", ""), job("b", "retry = { attempts = 3 }"), job("c", "")].concat();
    let old = good(&jobs);
    for (head, changes) in [
        ("[defaults]\npriority = 7\n", true),
        ("[defaults]\nretry = { backoff = \"3s\" }\n", true),
        ("[scheduler]\ntimezone = \"Asia/Tokyo\"\n", true),
        ("[pools.other]\n", false),
        ("[store]\nurl = \"memory:\"\n", false),
    ] {
        let new = good_again(&old, &format!("{head}{jobs}"));
        assert_eq!(new.jobs["b"] != old.jobs["b"], changes, "{head}");
    }
    // A mistake outside of the jobs is found, and so is a job whose pool has gone.
    let pooled = good(&format!("[pools.p]\n{}{}", job("a", ""), job("b", "pool = \"p\"")));
    for text in [format!("[pools.p]\nsize = 1\n{jobs}"), [job("a", ""), job("b", "pool = \"p\"")].concat()] {
        assert_eq!(again(&pooled, &text, &hello()), whole(&text, &hello()));
        assert!(again(&pooled, &text, &hello()).is_err());
    }
}

#[test]
fn what_a_sidecar_says_of_a_job_is_followed() {
    let text = [job("a", ""), job("poll", ""), job("z", "")].concat().replace("\"hello\"", "\"poll\"");
    let around = |sidecar: &str| {
        Surroundings::with_files(vec![PluginFile::dropped("jobs/poll.wasm").with_sidecar(sidecar)])
    };
    let mut old = whole(&text, &around("")).unwrap().manifest;
    for (sidecar, priority) in
        [("priority = 1", 1), ("priority = 2", 2), ("name = \"z\"\npriority = 3", 0), ("", 0)]
    {
        let loaded = again(&old, &text, &around(sidecar));
        assert_eq!(loaded, whole(&text, &around(sidecar)), "{sidecar}");
        old = loaded.unwrap().manifest;
        assert_eq!(old.jobs["poll"].policy.priority, priority, "{sidecar}");
    }
    assert_eq!(old.jobs["z"].policy.priority, 0);
    // A plugin that is refused takes its jobs with it, and they come back with it.
    let refused = again(&old, &text, &around("priority = true")).unwrap();
    assert_eq!(refused, whole(&text, &around("priority = true")).unwrap());
    assert!(refused.manifest.jobs.is_empty());
    assert_eq!(again(&refused.manifest, &text, &around("")).unwrap().manifest.jobs.len(), 3);
}

#[test]
fn values_laid_over_jobs_are_laid_over_each_of_them() {
    let text = [job("a", ""), job("b-c", ""), job("d", "")].concat();
    let variable = Overrides::from_env([("CLOCKBOX_JOBS__B_C__PRIORITY", "5")]);
    for overrides in [variable, Overrides::default().with_flag("jobs.b-c.priority=5")] {
        let manifest = parse(&text, file(), &overrides, &hello()).unwrap().manifest;
        assert_eq!(manifest.jobs["b-c"].policy.priority, 5);
        assert_eq!(manifest.jobs.len(), 3);
    }
}

#[test]
fn a_job_that_is_declared_in_two_places_is_one_job_or_a_mistake() {
    let rows = [job("a", ""), job("b", ""), job("c", "")].concat();
    let old = good(&rows);
    for more in [
        "[jobs.b]\n",
        "[jobs.\"b\"]\npriority = 1\n",
        "[jobs.b.args]\nx = 1\n",
        "[pools.x]\n[jobs.b.args]\nx = 1\n",
        "[[jobs.b]]\n",
        "[jobs]\nb = 1\n",
        "[jobs]\nb.priority = 1\n",
        "[jobs]\n",
        "[[jobs]]\n",
    ] {
        for text in [
            format!("{rows}{more}"),
            format!("{more}{rows}"),
            rows.replace("[jobs.c]", &format!("{more}[jobs.c]")),
        ] {
            assert_eq!(again(&old, &text, &hello()), whole(&text, &hello()), "{text}");
        }
    }
}

#[test]
fn a_text_that_swallows_headers_is_not_mistaken_for_jobs() {
    let rows = [job("a", ""), job("b", ""), job("c", "")].concat();
    let old = good(&rows);
    for (open, close) in [("description = '''", "'''"), ("description = \"\"\"", "\"\"\""), ("args = [", "]")]
    {
        for place in ["[jobs.a]", "[jobs.b]", "[jobs.c]"] {
            let opened = rows.replace(place, &format!("{place}\n{open}"));
            let texts = [
                opened.clone(),
                format!("{opened}{close}"),
                format!("{opened}{close}\n{}", job("d", "")),
                format!("[pools.p]\nx = {open}\n{rows}{close}"),
                opened.replace("[jobs.c]", &format!("{close}\n[jobs.c]")),
            ];
            for text in texts {
                assert_eq!(again(&old, &text, &hello()), whole(&text, &hello()), "{text}");
                assert_eq!(
                    again(&old, &text, &hello()),
                    again(&Manifest { known: Known::default(), ..old.clone() }, &text, &hello())
                );
            }
        }
    }
}

#[test]
fn a_text_that_the_first_job_opens_and_something_else_closes_holds_no_jobs() {
    let text = "[jobs.a]\nplugin = \"hello\"\ndescription = '''\n[jobs.b]\nplugin = \"hello\"\n[plugins.hello]\nx = '''\n";
    let loaded = parse(text, file(), &Overrides::default(), &hello());
    assert_eq!(loaded, whole(text, &hello()));
    assert_eq!(loaded.unwrap().manifest.jobs.keys().map(|id| id.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn places_are_right_in_a_large_file_with_any_line_ends() {
    let many = |mistake: &str| -> String {
        let one = |n: usize| {
            let rest = if n == 20_000 { mistake } else { "" };
            job(&format!("job-{n:05}"), &format!("description = \"naïve ☃ {n}\"\n{rest}"))
                .replace('\n', "\r\n")
        };
        (0..=20_001).map(one).collect()
    };
    let old = good(&many("# nothing"));
    assert_eq!(old.declared["job-20001"].place.position(), Some((100_006, 7)));
    let new = good_again(&old, &many("priority = 1 # ☃\n"));
    assert_eq!(new.declared["job-20001"].place.position(), Some((100_007, 7)));
    assert_eq!(new.declared["job-20001"].description.as_deref(), Some("naïve ☃ 20001"));
    assert!(is_kept("job-19999", &old, &new) && !is_kept("job-20000", &old, &new));
    let problems = again(&new, &many("args = \"☃\" ; priority = 1"), &hello()).unwrap_err().0;
    assert_eq!(problems[0].place.position(), Some((100_005, 12)), "{}", problems[0]);
    let problems = again(&new, &many("pririty = 1"), &hello()).unwrap_err().0;
    assert_eq!(
        problems.iter().map(brief).collect::<Vec<_>>(),
        ["100005:1 jobs.job-20000.pririty: unknown key | did you mean \"priority\"?"]
    );
}

/// A piece of a manifest; the number makes its job's name.
fn piece() -> impl Strategy<Value = (usize, String)> {
    let forms = prop::sample::select(vec![
        "[jobs.N]\nplugin = \"hello\"\n",
        "[jobs.N]\r\nplugin = \"hello\"\r\ntrigger = { interval = \"2h\" }\r\n",
        "[jobs.\"N\"]\nplugin = \"hello\" # é\nargs = [\n  1,\n]\n",
        "  [jobs.'N']\n\tplugin = \"hello\"\nenabled = false\n",
        "[jobs.N]\nplugin = \"hello\"\n[jobs.N.args]\nx = 1\n[[jobs.N.args.y]]\n",
        "[jobs.N]\nplugin = \"hello\"\nargs = \"\"\"\n[jobs.inside]\n\"\"\"\n",
        "[jobs.N]\nplugin = \"hello\"\nargs = [\n[1],\n[2],\n]\n",
        "[jobs.N]\nplugin = \"hello\"\nargs = [\n[",
        "[jobs.N]\nplugin = \"hello\"\ndescription = '''",
        "[jobs.N]\nplugin = \"helo\"\n",
        "[jobs.N]\n[jobs.N.trigger]\ncron = \"* * * * *\"\n",
        "[jobs.N.trigger]\ncron = \"0 5 * * *\"\n",
        "[jobs.N.args]\nx = 1\n",
        "[jobs.hello]\n",
        "[ jobs . N ]\nplugin = \"hello\"\n",
        "[jobs]\nN = { plugin = \"hello\" }\n",
        "[jobs]\nN.plugin = \"hello\"\n",
        "[jobs]\n",
        "[[jobs.N]]\n",
        "[jobs.N\n",
        "[pools.pN]\n",
        "[plugins.hello]\n",
        "[plugins.hello]\ndescription = '''\n",
        "'''\n",
        "]\n]\n",
        "[defaults]\npriority = N\n",
        "# [jobs.comment]\n",
        "priority = N\n",
        "",
    ]);
    (0..40_usize, forms).prop_map(|(n, form)| (n, form.replace('N', &n.to_string())))
}

/// Pieces that mostly go well with one another.
fn pieces() -> impl Strategy<Value = Vec<String>> {
    let plain = (0..40_usize).prop_map(|n| (n, format!("[jobs.{n}]\nplugin = \"hello\"\npriority = {n}\n")));
    prop::collection::vec(prop_oneof![12 => plain, 1 => piece()], 0..14).prop_map(|pieces| {
        let mut seen = std::collections::BTreeSet::new();
        pieces.into_iter().filter(|(n, _)| seen.insert(*n)).map(|(_, piece)| piece).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_text_says_what_it_says_as_a_whole(
        old in pieces(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..3),
        new in pieces(),
    ) {
        // Part of the old text, part of the new one, in turns.
        let mut mixed = old.clone();
        for (place, other) in cuts {
            if !mixed.is_empty() && !new.is_empty() {
                let (place, other) = (place.index(mixed.len()), other.index(new.len()));
                mixed[place].clone_from(&new[other]);
            }
        }
        let (old, new) = (old.concat(), mixed.concat());
        let before = whole(&old, &hello());
        prop_assert_eq!(&parse(&old, file(), &Overrides::default(), &hello()), &before, "{}", old);
        if let Ok(before) = parse(&old, file(), &Overrides::default(), &hello()) {
            prop_assert_eq!(again(&before.manifest, &new, &hello()), whole(&new, &hello()), "{}", new);
        }
    }
}
