//! The sections `[webhooks.*]`.

use std::time::Duration;

use super::*;
use crate::manifest::{JobPattern, Occasion, PathKind, Severity};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn around() -> Surroundings<'static> {
    Surroundings {
        env: &|name| match name {
            "HOOK" => Some(SECRET.to_owned()),
            "URL" => Some("https://b.example/hidden".to_owned()),
            "SHORT" => Some("hunter2".to_owned()),
            "BROKEN" => Some("whsec_?".to_owned()),
            _ => None,
        },
        path_kind: &|path| if path.ends_with("ca.pem") { PathKind::File } else { PathKind::Absent },
        ..hello()
    }
}

fn problems(text: &str) -> Vec<String> {
    let found = match read(text, &around()) {
        Ok(loaded) => loaded.manifest.warnings,
        Err(problems) => problems.0,
    };
    let of_hooks = found.iter().filter(|problem| problem.key.starts_with("webhooks"));
    let sign = |problem: &Problem| if problem.severity == Severity::Warning { "warning " } else { "" };
    of_hooks.map(|problem| format!("{}{}", sign(problem), brief(problem))).collect()
}

#[test]
fn every_key_is_taken() {
    let text = r#"
        [webhooks.ops]
        url = "https://a.example/x?y=1"
        events = ["failure", "recovery", "miss", "success", "run-retrying"]
        jobs = ["backup-*"]
        secret = { env = "HOOK" }
        ca_file = "ca.pem"
        timeout = "3s"
        retries = 0
        backoff = "10ms"
        [webhooks.all]
        url = { env = "URL" }
    "#;
    let manifest = read(text, &around()).unwrap().manifest;
    let ops = &manifest.webhooks["ops"];
    assert_eq!((ops.url.origin(), ops.url.path()), ("https://a.example", "/x?y=1"));
    let words: Vec<&str> = ops.events.iter().map(|occasion| occasion.as_str()).collect();
    assert_eq!(words, ["failure", "recovery", "miss", "success", "run-retrying"]);
    assert_eq!(ops.jobs, [JobPattern::new("backup-*")]);
    assert_eq!(ops.key.as_ref().unwrap().bytes().len(), 24);
    assert_eq!(ops.ca_file.as_deref(), Some(Path::new("ca.pem")));
    assert_eq!((ops.timeout, ops.retries), (Duration::from_secs(3), 0));
    assert_eq!(ops.backoff, Duration::from_millis(10));
    let all = &manifest.webhooks["all"];
    assert_eq!(all.events, [Occasion::Failure, Occasion::Recovery, Occasion::Miss]);
    assert_eq!((all.url.path(), &all.key, all.retries), ("/hidden", &None, 10));
    assert!(!format!("{manifest:?}").contains("hidden"));
}

#[test]
fn each_mistake_has_its_place_and_a_hint() {
    let text = r#"[webhooks.a]
events = ["failed", "miss", "run-finish"]
jobs = ["helo", "b*"]
secret = { env = "NOT_SET" }
[webhooks."b c"]
url = "b.example"
token = "x"
[webhooks.c]
url = "https://c.example/#top"
secret = "hunter2"
retries = -1
ca_file = "nowhere"
events = []
[jobs.hello]
"#;
    let wanted = [
        "1:1 webhooks.a: the key `url` is missing | write url = \"https://hooks.example.com/clockbox\"",
        "2:11 webhooks.a.events.0: there is no event \"failed\" | did you mean \"failure\"?",
        "2:29 webhooks.a.events.2: there is no event \"run-finish\" | did you mean \"run-finished\"?",
        "warning 3:9 webhooks.a.jobs.0: the manifest declares no job \"helo\" | did you mean \"hello\"?",
        "4:18 webhooks.a.secret.env: \"NOT_SET\" is not set in the host's environment | set it where the host runs",
        "5:11 webhooks.\"b c\": ' ' is not allowed in a webhook name | use letters, digits, '.', '_', '-', ':' and '@'",
        "6:7 webhooks.\"b c\".url: \"b.example\" is not an origin: it must start with http:// or https:// | write for instance \"https://api.example.com\" or \"http://127.0.0.1:8080\"",
        "7:1 webhooks.\"b c\".token: unknown key | the key is secret = { env = \"HOOK_SECRET\" }: what it sends is signed with it",
        "9:7 webhooks.c.url: the URL has a fragment | leave out what begins with '#'",
        "10:10 webhooks.c.secret: expected a table such as { env = \"HOST_NAME\" } | a secret does not stand in the manifest: name the variable or file that holds it",
        "11:11 webhooks.c.retries: -1 is out of range 0-4294967295",
        "12:11 webhooks.c.ca_file: there is no file nowhere",
        "13:10 webhooks.c.events: it would tell of nothing | leave it out for failures, recoveries and misses",
    ];
    assert_eq!(problems(text), wanted);
}

#[test]
fn a_secret_is_never_repeated_and_a_weak_one_is_told() {
    let hook = |keys: &str| problems(&format!("[webhooks.a]\nurl = \"http://a.example\"\n{keys}\n"));
    assert_eq!(
        hook("secret = { env = \"SHORT\" }"),
        [
            "warning 3:10 webhooks.a.secret: the secret has 7 bytes and may be guessed | take at least 24, for instance of \
          `openssl rand -base64 32`"
        ]
    );
    assert_eq!(
        hook("secret = { env = \"BROKEN\" }"),
        [
            "3:10 webhooks.a.secret: what follows \"whsec_\" in the secret is not base64 | write whsec_ and the key in base64, \
          or any text that does not begin so"
        ]
    );
    assert_eq!(
        problems("[webhooks.a]\nurl = { env = \"SHORT\" }"),
        ["2:7 webhooks.a.url: what is kept there is not the URL of a webhook | for instance \
          \"https://hooks.example.com/clockbox\""]
    );
}

#[test]
fn a_star_stands_for_any_characters() {
    let fits = |pattern: &str, job: &str| JobPattern::new(pattern).matches(job);
    assert!(
        fits("*", "") && fits("*", "a") && fits("a*", "a") && fits("*a", "ba") && fits("a*b*c", "a--b-bc")
    );
    assert!(fits("a", "a") && fits("a**b", "ab"));
    assert!(
        !fits("a", "ab") && !fits("a*a", "a") && !fits("a*b", "ac") && !fits("*b*", "ac") && !fits("", "a")
    );
}

#[test]
fn a_change_shows_in_a_diff() {
    let hook = |url: &str| read(&format!("[webhooks.a]\nurl = \"{url}\""), &around()).unwrap().manifest;
    let (one, other, none) = (hook("http://a.example/1"), hook("http://a.example/2"), good(""));
    assert_eq!(other.diff(&one).lines(), ["~ webhook a"]);
    assert_eq!(one.diff(&none).lines(), ["+ webhook a"]);
    assert_eq!(none.diff(&one).to_string(), "+0 ~0 -1");
    assert!(one.diff(&one).is_empty());
}

#[test]
fn flat_keys_say_the_same() {
    let text = "[webhooks.ops]\nurl = \"https://a.example\"\nevents = [\"miss\"]\nretries = 2\n";
    let flags = Overrides::from_env([("CLOCKBOX_WEBHOOKS__OPS__URL", "https://a.example")])
        .with_flag("webhooks.ops.events=[\"miss\"]")
        .with_flag("webhooks.ops.retries=2");
    let of_flags = parse("", Path::new("clockbox.toml"), &flags, &hello()).unwrap().manifest;
    assert_eq!(of_flags.webhooks, good(text).webhooks);
    assert_eq!(of_flags.webhooks.len(), 1);
}
