//! One test for each kind of mistake: its place, key and hint.

use super::*;
use crate::manifest::{PathKind, Severity};

#[test]
fn a_syntax_error_has_its_line_and_column() {
    expect(
        "[jobs.hello]\nplugin = hello\n",
        &[
            "2:10 : TOML syntax error: a value must be quoted, a number, true or false | put the text in double quotes",
        ],
    );
    let found = bad("[jobs.hello\n");
    assert_eq!(found[0].place.position(), Some((1, 12)));
    let found = bad("jobs:\n  hello: 1\n");
    assert_eq!(found[0].place.position().map(|(line, _)| line), Some(1));
}

#[test]
fn several_syntax_errors_are_found_at_once() {
    let lines: Vec<_> = bad("a = \n[ok]\nb = 1\nc = = 2\n")
        .iter()
        .filter_map(|p| p.place.position())
        .map(|(line, _)| line)
        .collect();
    assert!(lines.contains(&1) && lines.contains(&4), "{lines:?}");
}

#[test]
fn a_job_that_is_declared_twice_points_to_the_first() {
    expect(
        "[jobs.hello]\nplugin = \"hello\"\n\n[jobs.hello]  # again\nplugin = \"hello\"\npool = \"nope\"\n",
        &[
            "4:7 jobs.hello: declared twice | it is declared first on line 1; keep one of the two",
            "6:8 jobs.hello.pool: there is no pool \"nope\" | the pools are default",
        ],
    );
}

#[test]
fn a_key_that_is_declared_twice_points_to_the_first() {
    expect(
        "[jobs.hello]\npool = \"default\"\npriority = 1\npool = \"default\"\n",
        &["4:1 jobs.hello.pool: declared twice | it is declared first on line 2; keep one of the two"],
    );
}

#[test]
fn an_unknown_key_gets_the_nearest_known_one() {
    expect(
        "[jobs.hello]\ntriger = { interval = \"2h\" }\n[pool.a]\n[scheduler]\ntime_zone = \"UTC\"\n",
        &[
            "2:1 jobs.hello.triger: unknown key | did you mean \"trigger\"?",
            "3:2 pool: unknown key | did you mean \"pools\"?",
            "5:1 scheduler.time_zone: unknown key | did you mean \"timezone\"?",
        ],
    );
}

#[test]
fn a_key_in_the_wrong_place_is_told_where_it_belongs() {
    expect(
        "[jobs.hello]\ntimeout = \"5s\"\ncron = \"0 5 * * *\"\n[defaults]\ntimezone = \"UTC\"\n",
        &[
            "2:1 jobs.hello.timeout: unknown key | limits belong to the plugin: [plugins.NAME] limits = { timeout = \"30s\" }",
            "3:1 jobs.hello.cron: unknown key | write trigger = { cron = … }",
            "5:1 defaults.timezone: unknown key | the time zone of all triggers is the scheduler's: [scheduler] timezone = …",
        ],
    );
}

#[test]
fn a_key_that_resembles_nothing_gets_the_list() {
    expect(
        "[pools.default]\nbanana = 1\n",
        &["2:1 pools.default.banana: unknown key | the keys here are max_instances, queue"],
    );
}

#[test]
fn a_wrong_type_says_what_is_expected_and_what_is_there() {
    expect(
        r#"
[scheduler]
shutdown_grace = 30
history = 5
[pools.default]
max_instances = "20"
queue = 1.5
[plugins.hello]
allow = { http = "https://a.example" }
config = { list = [1] }
[jobs.hello]
plugin = 7
enabled = "true"
trigger = "2h"
retry = 3
overlap = ["skip"]
"#,
        &[
            "3:18 scheduler.shutdown_grace: expected a string such as \"30s\", found the integer 30 | a duration has a unit: \"30s\" for seconds",
            "4:11 scheduler.history: expected a table such as { keep = \"30d\", keep_per_job = 1000 }, found the integer 5",
            "6:17 pools.default.max_instances: expected an integer, found the string \"20\" | write it without quotes",
            "7:9 pools.default.queue: expected an integer, found the float 1.5",
            "9:18 plugins.hello.allow.http: expected an array such as [\"https://api.example.com\"], found the string \"https://a.example\" | write [\"https://a.example\"]",
            "10:19 plugins.hello.config.list: expected a string, number or boolean, found an array | config holds single values; a job's args may be of any shape",
            "12:10 jobs.hello.plugin: expected a string such as \"hello\", found the integer 7 | put it in quotes",
            "13:11 jobs.hello.enabled: expected true or false, found the string \"true\" | write it without quotes",
            "14:11 jobs.hello.trigger: expected a table such as { interval = \"2h\" }, found the string \"2h\" | write { interval = \"2h\" }",
            "15:9 jobs.hello.retry: expected a table such as { attempts = 3, backoff = \"10s\" }, found the integer 3 | write { attempts = 3 }",
            "16:11 jobs.hello.overlap: expected a string such as \"skip\", found an array",
        ],
    );
}

#[test]
fn a_section_that_is_no_table_hides_nothing_else() {
    expect(
        "pools = 3\nplugins = { x = 1 }\njobs = { x = { priority = \"high\" }, y = 2 }\n",
        &[
            "1:9 pools: expected a table such as [pools.default], found the integer 3",
            "2:17 plugins.x: expected a table such as { path = \"jobs/report.wasm\" }, found the integer 1",
            "3:27 jobs.x.priority: expected an integer, found the string \"high\"",
            "3:41 jobs.y: expected a table such as { plugin = \"hello\", trigger = { interval = \"2h\" } }, found the integer 2",
        ],
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    expect(
        "[pools.default]\nmax_instances = 0\nqueue = -1\n[pools.b]\nmax_instances = 99999999999999999999\n[jobs.hello]\nretry = { attempts = 0, factor = 0.5 }\n",
        &[
            "2:17 pools.default.max_instances: must be at least 1 | with no instance nothing could ever run; to keep a job from running, set enabled = false on it",
            "3:9 pools.default.queue: -1 is out of range 0-4294967295",
            "5:17 pools.b.max_instances: 99999999999999999999 is out of range 1-4294967295",
            "7:22 jobs.hello.retry.attempts: 0 is out of range 1-4294967295",
            "7:34 jobs.hello.retry.factor: 0.5 is out of range 1-1000",
        ],
    );
}

#[test]
fn bad_durations_and_sizes_are_refused() {
    expect(
        r#"[scheduler]
history = { keep = "a while" }
[plugins.hello]
limits = { timeout = "0s", memory = "64 quarks", log = -1, output = 1 }
[plugins.small]
limits = { memory = 64 }
[jobs.hello]
misfire_grace = "later"
retry = { backoff = "2h", cap = "1m" }
"#,
        &[
            "2:20 scheduler.history.keep: \"a while\" is not a duration: expected number at 0 | write for instance \"30s\", \"1h 30m\" or \"2days\"",
            "4:22 plugins.hello.limits.timeout: must be longer than zero | write for instance \"30s\"",
            "4:37 plugins.hello.limits.memory: \"64 quarks\" is not a size | write for instance \"64MiB\", \"1GB\" or \"4096\" (bytes)",
            "4:56 plugins.hello.limits.log: expected a size such as \"256KiB\", found the integer -1",
            "6:21 plugins.small.limits.memory: 64 B is too little memory for any plugin | write a unit as in \"64MiB\"; a plain number is bytes",
            "8:17 jobs.hello.misfire_grace: \"later\" is not a duration: expected number at 0 | write for instance \"30s\", \"1h 30m\" or \"2days\"",
            "9:33 jobs.hello.retry.cap: the cap is shorter than the backoff | the cap is the longest pause; the backoff is the first",
        ],
    );
}

#[test]
fn a_time_zone_that_is_none_gets_a_proposal() {
    expect(
        "[scheduler]\ntimezone = \"Asia/Shangai\"\n[jobs.hello]\ntrigger = { interval = \"2h\", timezone = \"PST\" }\n",
        &[
            "2:12 scheduler.timezone: \"Asia/Shangai\" is not an IANA time zone name | did you mean \"Asia/Shanghai\"?",
            "4:41 jobs.hello.trigger.timezone: \"PST\" is not an IANA time zone name | PST is an abbreviation; write America/Los_Angeles",
        ],
    );
}

#[test]
fn words_of_a_few_get_the_nearest_one() {
    expect(
        "[jobs.hello]\noverlap = \"skp\"\ndelivery = \"twice\"\ncoalesce = \"lastest\"\n",
        &[
            "2:11 jobs.hello.overlap: \"skp\" is not one of \"skip\", \"wait\", \"replace\" | did you mean \"skip\"?",
            "3:12 jobs.hello.delivery: \"twice\" is not one of \"at-most-once\", \"at-least-once\"",
            "4:12 jobs.hello.coalesce: \"lastest\" is not one of \"latest\", \"earliest\", \"all\" | did you mean \"latest\"?",
        ],
    );
}

#[test]
fn a_job_must_name_a_plugin_and_a_pool_that_exist() {
    expect(
        "[pools.heavy]\n[jobs.a]\nplugin = \"helo\"\npool = \"havy\"\n[jobs.b]\nplugin = \"zzzzzz\"\n[jobs.c]\n[defaults]\npool = \"light\"\n",
        &[
            "3:10 jobs.a.plugin: there is no plugin \"helo\" | did you mean \"hello\"?",
            "4:8 jobs.a.pool: there is no pool \"havy\" | did you mean \"heavy\"?",
            "6:10 jobs.b.plugin: there is no plugin \"zzzzzz\" | put zzzzzz.wasm into jobs, or declare [plugins.zzzzzz]; the plugins are hello",
            "7:1 jobs.c: the key `plugin` is missing, and there is no plugin of the job's name | write plugin = \"…\"; the plugins are hello",
            "9:8 defaults.pool: there is no pool \"light\" | the pools are default, heavy",
        ],
    );
}

#[test]
fn names_with_bad_characters_are_refused_and_what_is_under_them_is_still_checked() {
    expect(
        "[pools.\"a b\"]\nqueue = -1\n[jobs.\"x/y\"]\nplugin = \"hello\"\n[plugins.\"\"]\nnope = 1\n",
        &[
            "1:8 pools.\"a b\": ' ' is not allowed in a pool name | use letters, digits, '.', '_', '-', ':' and '@'",
            "2:9 pools.\"a b\".queue: -1 is out of range 0-4294967295",
            "3:7 jobs.\"x/y\": '/' is not allowed in a job name | use letters, digits, '.', '_', '-', ':' and '@'",
            "5:10 plugins.\"\": a plugin name must not be empty",
            "6:1 plugins.\"\".nope: unknown key | the keys here are sha256, allow, limits, output, http, config, path",
        ],
    );
}

#[test]
fn rights_are_checked_one_by_one() {
    expect(
        r#"[plugins.hello]
allow = { http = ["https://a.example/path", "*"], read = { data = "d", "/x" = "" }, write = { "/x" = "d" }, env = ["A=B"], secrets = { T = "x" }, net = true }
[plugins.other]
allow = { env = { A = 1, B = { env = "NOT_SET" }, C = { default = "x" } }, read = { "/w" = "w" }, write = { "/w" = "w" } }
"#,
        &[
            "2:19 plugins.hello.allow.http.0: \"https://a.example/path\" is not an origin: an origin has no path | write for instance \"https://api.example.com\" or \"http://127.0.0.1:8080\"",
            "2:45 plugins.hello.allow.http.1: there is no right to reach every host | name each origin, or the subdomains of one as in \"https://*.example.com\"",
            "2:60 plugins.hello.allow.read.data: \"data\" is not an absolute path | the plugin sees the folder under this path: write for instance \"/data\" = \"./data\"",
            "2:79 plugins.hello.allow.read.\"/x\": \"\" is not a path | write for instance \"./data\"",
            "2:116 plugins.hello.allow.env.0: \"A=B\" is not the name of an environment variable",
            "2:140 plugins.hello.allow.secrets.T: expected a table such as { env = \"HOST_NAME\" } | a secret does not stand in the manifest: name the variable or file that holds it",
            "2:147 plugins.hello.allow.net: unknown key | write http = [\"https://api.example.com\"], or tcp = [\"db.example.com:5432\"]",
            "4:23 plugins.other.allow.env.A: expected a string, or a table such as { env = \"HOST_NAME\" }, found the integer 1",
            "4:38 plugins.other.allow.env.B.env: \"NOT_SET\" is not set in the host's environment | set it where the host runs, or add a default: { env = \"…\", default = \"…\" }",
            "4:55 plugins.other.allow.env.C: the key `env` is missing | write { env = \"HOST_NAME\" }",
            "4:107 plugins.other.allow.write: \"/w\" is granted twice | a folder under `write` can be read too: leave it out of `read`",
        ],
    );
}

#[test]
fn digests_and_stores_are_checked() {
    expect(
        "[store]\nurl = \"postgres://db\"\n[plugins.hello]\nsha256 = \"abc\"\n",
        &[
            "2:7 store.url: there is no store \"postgres\"; the stores are sqlite, memory | write \"sqlite:clockbox.db\" (relative to the manifest), or \"memory:\"",
            "4:10 plugins.hello.sha256: \"abc\" is not a SHA-256 digest | it has 64 hexadecimal digits, as sha256sum prints them",
        ],
    );
    for url in ["clockbox.db", "sqlite:", "memory:x"] {
        assert_eq!(bad(&format!("[store]\nurl = \"{url}\"")).len(), 1, "{url}");
    }
}

#[test]
fn arguments_that_json_cannot_hold_are_refused() {
    expect(
        "[jobs.hello]\nargs = { a = nan, b = [1, 99999999999999999999] }\n",
        &[
            "2:14 jobs.hello.args.a: NaN cannot be written as JSON | use a string",
            "2:27 jobs.hello.args.b.1: the integer 99999999999999999999 is too large | an integer has at most 64 bits; use a string",
        ],
    );
}

#[test]
fn the_shape_of_a_trigger_is_checked_at_every_depth() {
    expect(
        r#"[jobs.a]
plugin = "hello"
trigger = { crn = "* * * * *" }
[jobs.b]
plugin = "hello"
trigger = { cron = { hours = 5, minute = [1] } }
[jobs.c]
plugin = "hello"
trigger = { any = [{ interval = 5 }, { interval = { hours = "2" }, hour = 5 }] }
[jobs.d]
plugin = "hello"
trigger = { interval = "2h", cron = "0 5 * * *" }
[jobs.e]
plugin = "hello"
trigger = { date = 5, jitter = 30 }
"#,
        &[
            "3:13 jobs.a.trigger.crn: unknown key | did you mean \"cron\"?",
            "6:22 jobs.b.trigger.cron.hours: unknown key | did you mean \"hour\"?",
            "6:42 jobs.b.trigger.cron.minute: expected an integer or a string such as \"*/15\", found an array",
            "9:33 jobs.c.trigger.any.0.interval: expected a string such as \"2h\", found the integer 5 | a duration has a unit: \"5s\" for seconds",
            "9:61 jobs.c.trigger.any.1.interval.hours: expected an integer, found the string \"2\" | write it without quotes",
            "9:68 jobs.c.trigger.any.1.hour: unknown key | it belongs into cron = { … }",
            "12:11 jobs.d.trigger: has both cron and interval, but a trigger is of one kind | keep one, or combine them: { any = [{ cron = … }, { interval = … }] }",
            "15:20 jobs.e.trigger.date: expected a date-time such as \"2030-11-06 16:30:05\", found the integer 5",
            "15:32 jobs.e.trigger.jitter: expected a string such as \"30s\", found the integer 30 | a duration has a unit: \"30s\" for seconds",
        ],
    );
}

#[test]
fn a_missing_plugin_file_is_placed_at_its_plugin() {
    let around = Surroundings { path_kind: &|_| PathKind::Absent, ..Surroundings::unknown() };
    let text = "[plugins.a]\npath = \"lib/a.wasm\"\n[plugins.b]\n[jobs.b]\n";
    let found: Vec<_> = read(text, &around).unwrap_err().0.iter().map(brief).collect();
    assert_eq!(
        found,
        [
            "2:8 plugins.a.path: there is no file lib/a.wasm | paths are relative to the manifest's folder",
            "3:10 plugins.b: there is no file jobs/b.wasm | put the plugin there (.wat will do as well), or set path",
        ]
    );
}

#[test]
fn a_plugin_that_its_project_has_not_built_yet_says_how() {
    let kind = |path: &std::path::Path| {
        if path.ends_with("clockbox-build.toml") { PathKind::File } else { PathKind::Absent }
    };
    let around = Surroundings { path_kind: &kind, ..Surroundings::unknown() };
    let found: Vec<_> =
        read("[plugins.a]\npath = \"a.wasm\"\n", &around).unwrap_err().0.iter().map(brief).collect();
    assert_eq!(found, ["2:8 plugins.a.path: there is no file a.wasm | `clockbox build` makes it"]);
}

#[test]
fn what_is_only_doubtful_is_a_warning() {
    let around = Surroundings {
        path_kind: &|path| if path.ends_with("a.wasm") { PathKind::File } else { PathKind::Absent },
        ..hello()
    };
    let text = "[scheduler]\nplugin_dir = \"later\"\n[plugins.a]\npath = \"a.wasm\"\nallow = { read = { \"/d\" = \"d\" }, env = [\"NOT_SET\"] }\n";
    let warnings = read(text, &around).unwrap().manifest.warnings;
    let found: Vec<_> = warnings.iter().map(brief).collect();
    assert_eq!(
        found,
        [
            "2:14 scheduler.plugin_dir: there is no folder later | create it and drop .wasm files there; paths are relative to the manifest",
            "5:27 plugins.a.allow.read.\"/d\": there is no folder d | create it before the job runs; paths are relative to the manifest",
            "5:41 plugins.a.allow.env.0: NOT_SET is not set in the host's environment",
        ]
    );
    assert!(warnings.iter().all(|warning| warning.severity == Severity::Warning));
    assert!(warnings[0].to_string().starts_with("clockbox.toml:2:14: warning: scheduler.plugin_dir: "));
}

#[test]
fn very_many_mistakes_of_syntax_are_counted() {
    let found = bad(&"no manifest at all\n".repeat(1000));
    assert_eq!(found.len(), 101);
    assert_eq!(
        brief(&found[100]),
        "101:4 : TOML syntax error: 900 more are not shown | correct those above, and look again"
    );
    let jobs: String = (0..150).map(|n| format!("[jobs.job-{n}]\nplugin = \"hello\"\n")).collect();
    let found = bad(&format!("{jobs}{jobs}[pools.default]\nsize = 1\n"));
    assert_eq!(found.len(), 102);
    assert!(found[100].message.ends_with(" more are not shown"), "{}", found[100]);
    assert_eq!(found[101].key, "pools.default.size", "the rest is read all the same");
}

#[test]
fn network_rights_and_options_are_checked_one_by_one() {
    expect(
        r#"[plugins.hello]
allow = { http = [{ origin = "https://a.example", methods = ["GE T"], privat = true }, { methods = [] }], tcp = ["db", { host = "db:1" }, 5], dns = "yes" }
http = { timeout = "1s", total_timeout = "0s" }
limits = { stack = "1KiB", handles = 1, open_files = 3 }
"#,
        &[
            "2:62 plugins.hello.allow.http.0.methods.0: \"GE T\" is not an HTTP method | write [\"GET\", \"HEAD\"]",
            "2:71 plugins.hello.allow.http.0.privat: unknown key | did you mean \"private\"?",
            "2:88 plugins.hello.allow.http.1: the key `origin` is missing | write { origin = \"https://api.example.com\" }",
            "2:100 plugins.hello.allow.http.1.methods: no method is granted | leave it out for all, or write [\"GET\", \"HEAD\"]",
            "2:114 plugins.hello.allow.tcp.0: \"db\" is not an endpoint: the port is missing | write for instance \"db.example.com:5432\" or \"10.0.0.0/8:5432\"",
            "2:120 plugins.hello.allow.tcp.1: the key `to` is missing | write { to = \"db.example.com:5432\" }",
            "2:122 plugins.hello.allow.tcp.1.host: unknown key | the key is to, with the port",
            "2:139 plugins.hello.allow.tcp.2: expected a string such as \"db.example.com:5432\", found the integer 5 | put it in quotes",
            "2:149 plugins.hello.allow.dns: expected true or false, found the string \"yes\"",
            "3:10 plugins.hello.http.timeout: unknown key | the keys are connect_timeout, first_byte_timeout and total_timeout",
            "3:42 plugins.hello.http.total_timeout: must be longer than zero | write for instance \"30s\"",
            "4:20 plugins.hello.limits.stack: a stack has from 64 KiB to 8 MiB | write for instance \"1MiB\"; without the key it is 512 KiB",
            "4:38 plugins.hello.limits.handles: 1 is out of range 16-4294967295",
            "4:41 plugins.hello.limits.open_files: unknown key | files, streams and sockets count as handles",
        ],
    );
}

#[test]
fn where_an_output_comes_from_is_one_of_two_words_and_said_of_the_plugin() {
    expect(
        "[plugins.hello]\noutput = \"stdout\"\n[plugins.other]\npath = \"x\"\noutput = true\n[jobs.hello]\noutput = \"last-line\"\n",
        &[
            "2:10 plugins.hello.output: \"stdout\" is not one of \"last-line\", \"returned\"",
            "5:10 plugins.other.output: expected a string such as \"last-line\", found the boolean true | put it in quotes",
            "7:1 jobs.hello.output: unknown key | it belongs to the plugin: [plugins.NAME] output = \"last-line\"",
        ],
    );
}

#[test]
fn secrets_come_from_one_place_and_are_never_repeated() {
    let text = r#"[plugins.hello]
allow = { secrets = { A = { env = "NOT_SET" }, B = { env = "SHORT" }, C = { file = "open" }, D = { env = "X", file = "y" }, E = {}, F = { value = "hunter2" } } }
[jobs.hello]
trigger = { interval = "1h" }
allow = { secrets = ["A"], http = ["https://a.example"], state = true }
"#;
    let around = Surroundings {
        env: &|name| (name == "SHORT").then(|| "abc".to_owned()),
        secret_file: &|path| Err((format!("{} is open", path.display()), Some("close it".to_owned()))),
        ..Surroundings::with_files(vec![PluginFile::dropped("jobs/hello.wasm")])
    };
    let problems = parse(text, Path::new("clockbox.toml"), &Overrides::default(), &around).unwrap_err();
    let lines: Vec<String> = problems.0.iter().map(brief).collect();
    assert_eq!(
        lines,
        [
            "2:35 plugins.hello.allow.secrets.A.env: \"NOT_SET\" is not set in the host's environment | set it where the host runs",
            "2:52 plugins.hello.allow.secrets.B: the secret is too short | a secret has at least 4 characters, so that it can be hidden in logs",
            "2:84 plugins.hello.allow.secrets.C.file: open is open | close it",
            "2:118 plugins.hello.allow.secrets.D.file: a secret comes from one place | keep one of env and file",
            "2:129 plugins.hello.allow.secrets.E: it is not said where the secret comes from | write { env = \"HOST_NAME\" }, or { file = \"token.secret\" }",
            "2:137 plugins.hello.allow.secrets.F: it is not said where the secret comes from | write { env = \"HOST_NAME\" }, or { file = \"token.secret\" }",
            "2:139 plugins.hello.allow.secrets.F.value: unknown key | a secret does not stand in the manifest: name the variable or file that holds it",
            "3:7 jobs.hello.allow: plugin hello is not granted http https://a.example, secrets A, state | a job can only narrow: grant it under [plugins.hello], or leave it out",
        ]
    );
    assert!(!problems.render().contains("abc"));
}

#[test]
fn what_compiling_may_use_up_is_checked_key_by_key() {
    expect(
        "[scheduler]\ncompile = { timout = \"1m\", memory = \"1MiB\", at_once = 0, threads = 2, max_size = \"big\" }\n",
        &[
            "2:13 scheduler.compile.timout: unknown key | did you mean \"timeout\"?",
            "2:37 scheduler.compile.memory: 1.0 MiB is too little memory for the compiler | write at least \"256MiB\"; a plain number is bytes",
            "2:55 scheduler.compile.at_once: 0 is out of range 1-4294967295",
            "2:58 scheduler.compile.threads: unknown key | how many plugins are compiled at one time is at_once",
            "2:82 scheduler.compile.max_size: \"big\" is not a size | write for instance \"64MiB\", \"1GB\" or \"4096\" (bytes)",
        ],
    );
}

#[test]
fn what_compiling_may_use_up_is_read() {
    let text = "[scheduler]\ncompile = { timeout = \"5m\", memory = \"3GiB\", at_once = 2, cache = 0 }\n";
    let compile = super::good(text).scheduler.compile;
    assert_eq!(
        (compile.timeout.as_secs(), compile.memory, compile.at_once, compile.cache),
        (300, 3 << 30, 2, 0)
    );
    assert_eq!(compile.max_size, 64 << 20);
}
