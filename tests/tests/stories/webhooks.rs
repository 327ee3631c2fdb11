//! Webhooks: whoever the manifest names is told, and can tell that it was the host.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use clockbox_tests::{DeadPort, Request, TestHost, WebServer, guest, repository};
use rustix::process::Signal;
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A job that fails whenever it is run, and one webhook.
fn place(hook: &str) -> TestHost {
    let place = crate::place();
    place.drop_plugin(&guest("exit-3"), "exit-3");
    place.manifest(&manifest(hook));
    place
}

fn manifest(hook: &str) -> String {
    format!("[jobs.a]\nplugin = \"exit-3\"\ntrigger = {{ interval = \"200ms\" }}\n{hook}")
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

/// What the verification of the documentation says of a request at a time.
fn verified(request: &Request, secret: &str, body: &str, now: &str) -> Option<bool> {
    let text = fs::read_to_string(repository().join("host/WEBHOOKS.md")).unwrap();
    let example = text.split_once("```python\n").unwrap().1.split_once("```").unwrap().0;
    let program = format!(
        "{example}\nimport json, sys\nasked = json.load(sys.stdin)\n\
         print(verify(asked['secret'], asked['headers'], asked['body'].encode(), asked['now']))\n"
    );
    let python =
        Command::new("python3").args(["-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    // There are machines without it.
    let mut python = python.ok()?;
    let headers: serde_json::Map<_, _> =
        request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let now: i64 = now.parse().unwrap();
    let asked = json!({ "secret": secret, "headers": headers, "body": body, "now": now });
    python.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let answer = python.wait_with_output().unwrap();
    assert!(answer.status.success());
    Some(String::from_utf8(answer.stdout).unwrap().trim() == "True")
}

#[test]
fn a_failure_is_told_and_the_documented_verification_takes_it() {
    let server = WebServer::start();
    let place = place(&format!(
        "[webhooks.ops]\nurl = \"{}\"\nsecret = {{ file = \"hook.secret\" }}\n",
        server.origin()
    ));
    place.put("hook.secret", SECRET.as_bytes());
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(place.path("hook.secret"), private).unwrap();
    let mut host = place.start();
    host.ready();
    let request = server.request();
    host.stop();
    assert_eq!(request.line, "POST /");
    let told = body(&request);
    assert_eq!((&told["type"], &told["data"]["outcome"]), (&json!("failure"), &json!("failed")));
    assert!(
        told["text"].as_str().unwrap().starts_with("a: failed: exit code 3: disk is full (run "),
        "{told}"
    );
    let run = place.history().of("a").into_iter().rev().find(|run| told["run"]["id"] == run.id.to_string());
    assert_eq!(told["run"]["scheduled_at"], json!(run.unwrap().scheduled_at));

    let sent = request.header("webhook-timestamp").unwrap().to_owned();
    if verified(&request, SECRET, &request.body, &sent).is_none() {
        eprintln!("there is no python3: the example of WEBHOOKS.md was not run");
        return;
    }
    let late = (sent.parse::<i64>().unwrap() + 301).to_string();
    assert_eq!(verified(&request, SECRET, &request.body, &sent), Some(true));
    assert_eq!(verified(&request, SECRET, &request.body, &late), Some(false), "it is too old");
    assert_eq!(verified(&request, "another secret", &request.body, &sent), Some(false));
    assert_eq!(verified(&request, SECRET, &request.body.replace("failed", "foiled"), &sent), Some(false));
}

#[test]
fn whoever_is_in_a_hurry_does_not_wait_for_a_receiver_that_hangs() {
    // It takes connections, and answers none.
    let receiver = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = receiver.local_addr().unwrap();
    let place = place(&format!("[webhooks.ops]\nurl = \"http://{address}\"\ntimeout = \"1h\"\n"));
    let mut host = place.start();
    host.hear_of("a", "failed");
    host.signal(Signal::TERM);
    host.hear_text("a second signal gives that up");
    host.signal(Signal::TERM);
    host.hear_text("not all of the last messages have arrived");
    assert!(host.end().success());
}

#[test]
fn a_reload_takes_up_webhooks_and_a_bad_one_is_refused_whole() {
    let (first, second) = (WebServer::start(), WebServer::start());
    let place = place("");
    let mut host = place.start();
    host.ready();
    place.manifest(&manifest(&format!("[webhooks.ops]\nurl = \"{}\"\n", first.origin())));
    host.hear_text("reloaded: webhooks +1 ~0 -0");
    assert_eq!(first.request().line, "POST /");
    place.manifest(&manifest("[webhooks.ops]\nurl = \"nowhere\"\n"));
    host.hear_text("webhooks.ops.url: \"nowhere\" is not an origin");
    drop(first.waiting());
    assert_eq!(first.request().line, "POST /", "the last good one stays in force");
    place.manifest(&manifest(&format!("[webhooks.ops]\nurl = \"{}\"\n", second.origin())));
    host.hear_text("reloaded: webhooks +0 ~1 -0");
    assert_eq!(second.request().line, "POST /");
    place.manifest(&manifest(""));
    host.hear_text("reloaded: webhooks +0 ~0 -1");
    host.stop();
}

#[test]
fn a_plan_shows_what_would_change_and_a_list_what_became_of_it() {
    let server = WebServer::start();
    let place = place("");
    let mut host = place.start_with(&["--no-watch"]);
    host.ready();
    place.manifest(&manifest(&format!("[webhooks.ops]\nurl = \"{}\"\n", server.origin())));
    let plan = place.cli(&["plan", "--json"]).exits(1).json();
    assert_eq!(plan["changes"].as_array().unwrap().len(), 1, "{plan}");
    assert_eq!(
        (&plan["changes"][0]["kind"], &plan["changes"][0]["change"]),
        (&json!("webhook"), &json!("added"))
    );
    place.cli(&["plan"]).exits(1).says(&["+ webhook ops", server.origin()]);
    host.signal(Signal::HUP);
    host.hear_text("reloaded: webhooks +1 ~0 -0");
    place.cli(&["plan"]).exits(0).says(&["nothing would change"]);
    place.manifest(&manifest(&format!("[webhooks.ops]\nurl = \"{}\"\nretries = 3\n", server.origin())));
    place.cli(&["plan"]).exits(1).says(&["~ webhook ops", "retries: 10 → 3"]);

    host.hear_text("webhook \"ops\": run-finished of a was delivered (200 OK");
    let list = place.cli(&["webhooks", "list", "--json"]).exits(0).json();
    assert_eq!((&list[0]["name"], &list[0]["retries"]), (&json!("ops"), &json!(10)));
    assert!(list[0]["messages"]["delivered"].as_u64().is_some_and(|taken| taken > 0), "{list}");
    host.stop();
}

#[test]
fn a_receiver_that_is_not_there_holds_neither_jobs_nor_the_end() {
    let dead = DeadPort::take();
    let place = place(&format!("[webhooks.ops]\nurl = \"{}/secret\"\n", dead.origin()));
    let mut host = place.start();
    host.hear_text("webhook \"ops\": run-finished of a was not delivered");
    (0..5).for_each(|_| _ = host.hear_of("a", "failed"));
    let said = host.stop();
    let line =
        said.iter().find(|line| line.message().contains("was not delivered to") && line.level() == "ERROR");
    assert!(line.unwrap().message().contains(dead.origin()));
    assert!(said.iter().all(|line| !line.message().contains("/secret")));
}

#[test]
fn the_end_of_the_host_is_told() {
    let server = WebServer::start();
    let place =
        place(&format!("[webhooks.ops]\nurl = \"{}\"\nevents = [\"scheduler-stopped\"]\n", server.origin()));
    let mut host = place.start();
    host.ready();
    host.stop();
    assert_eq!(body(&server.request())["type"], "scheduler-stopped");
}

#[test]
fn a_test_is_sent_by_hand_and_says_what_came_of_it() {
    let (server, dead) = (WebServer::start(), DeadPort::take());
    let place = place(&format!(
        "[webhooks.ops]\nurl = \"{0}/hook\"\nsecret = {{ env = \"HOOK\" }}\n[webhooks.away]\nurl = \"{0}/404\"\njobs = [\"a*\"]\n\
         [webhooks.dead]\nurl = \"{1}\"\n",
        server.origin(),
        dead.origin()
    ));
    let cli = |args: &[&str]| place.cli_with(args, &[("HOOK", SECRET)]);
    cli(&["webhooks", "test", "ops"]).exits(0).says(&[
        "delivered: http://127.0.0.1:",
        "it answered 200 OK",
        "(signed)",
    ]);
    let request = server.request();
    assert_eq!((request.line.as_str(), &body(&request)["type"]), ("POST /hook", &json!("test")));
    assert!(request.header("webhook-signature").is_some_and(|signed| signed.starts_with("v1,")));
    let answer = cli(&["webhooks", "test", "away", "--json"]).exits(1).json();
    assert_eq!(
        (&answer["delivered"], &answer["answer"]),
        (&json!(false), &json!("it answered 404 Not Found"))
    );
    cli(&["webhooks", "test", "dead"]).exits(1).says(&["not delivered: ", "it cannot be connected to"]);
    cli(&["webhooks", "test", "opps"])
        .exits(1)
        .says(&["there is no webhook \"opps\"", "did you mean \"ops\"?"]);
    let list = cli(&["webhooks", "list", "--json"]).exits(0).json();
    assert_eq!(list[0]["name"], "away");
    assert_eq!((&list[0]["jobs"], &list[2]["signed"]), (&json!(["a*"]), &json!(true)));
    cli(&["webhooks"]).exits(0).says(&["failure recovery miss", server.origin()]);

    // It is among what is in force, with the variable in the place of the secret.
    let settings = cli(&["config", "--prefix", "webhooks.ops", "--json"]).exits(0).json();
    let of = |key: &str| {
        settings.as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap().clone()
    };
    assert_eq!(of("webhooks.ops.secret")["value"], json!({ "env": "HOOK" }));
    assert_eq!(
        of("webhooks.ops.retries"),
        json!({ "key": "webhooks.ops.retries", "value": 10, "origin": "default" })
    );
    cli(&["check"]).exits(0).says(&["3 webhooks"]);
    place
        .cli(&["check"])
        .exits(1)
        .says(&["clockbox.toml:6:18", "\"HOOK\" is not set in the host's environment"]);
}
