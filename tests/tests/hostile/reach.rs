//! Attacks on what lies outside: environment, secrets, network.

use clockbox_core::model::Outcome;
use clockbox_tests::prebuilt;

use crate::{
    attack::{Attack, File},
    web::HostileWeb,
};

pub(crate) fn attacks(web: &HostileWeb) -> Vec<Attack> {
    let (port, inner) = (web.port(), web.inner_port());
    let follows = |name, to: &str, granted: &str, tries| {
        Attack::new(name, "hostile/redirect", tries)
            .allowed(&format!("{{ http = [{granted}] }}"))
            .args(&format!("[\"127.0.0.1:{port}\", \"/redirect/{to}/secret\"]"))
    };
    // The prebuilt plugin that asks a web address is the client; the attack is on the other side, or in its arguments.
    let asks = |name, path: &str, tries| {
        let origin = format!("http://127.0.0.1:{port}");
        Attack::of(name, File::Committed(prebuilt("http-check")), tries)
            .allowed(&format!("{{ http = [\"{origin}\"] }}"))
            .args(&format!("{{ url = \"{origin}{path}\" }}"))
    };
    vec![
        Attack::new("environment", "hostile/environment", "prints its environment and arguments"),
        Attack::new(
            "secrets",
            "hostile/secrets",
            "prints a secret to both streams and fails with it as the reason",
        )
        .allowed("{ secrets = { TOKEN = { env = \"TOKEN\", as = \"env\" } } }")
        .ends(Outcome::Failed, &["TOKEN=***"]),
        Attack::new("sockets", "hostile/sockets", "asks for TCP, UDP and the address of a name")
            .ends(Outcome::Failed, &["exit code 1; during the run", "allow.tcp", "UDP", "allow.dns"]),
        Attack::new("tcp-elsewhere", "connect", "connects to another port than the granted one")
            .allowed(&format!("{{ tcp = [\"127.0.0.1:{port}\"] }}"))
            .args(&format!("[\"127.0.0.1:{inner}\"]"))
            .ends(Outcome::Failed, &["exit code 1; during the run: TCP connection to", "allow.tcp"]),
        follows(
            "redirect",
            &format!("127.0.0.1:{inner}"),
            &format!("\"http://127.0.0.1:{port}\""),
            "follows a redirect from a granted origin to a server on the loopback",
        )
        .ends(
            Outcome::Failed,
            &["exit code 1; during the run: HTTP request to", "not granted", "allow.http"],
        ),
        follows(
            "redirect-name",
            &format!("127.1:{inner}"),
            &format!("\"http://127.0.0.1:{port}\", \"http://127.1:{inner}\""),
            "the same by a granted name that resolves to the loopback",
        )
        .ends(Outcome::Failed, &["exit code 1; during the run", "the host resolves to a loopback address"]),
        Attack::of(
            "rebinding",
            File::Committed(prebuilt("http-check")),
            "asks a granted name that resolves to the loopback",
        )
        .allowed(&format!("{{ http = [\"http://127.1:{port}\"] }}"))
        .args(&format!("{{ url = \"http://127.1:{port}/giant\" }}"))
        .ends(Outcome::Failed, &["refused: the host resolves to a loopback address"]),
        asks("private-address", "/", "asks the metadata service of a cloud, granted another origin")
            .args("{ url = \"http://169.254.169.254/latest/meta-data\" }")
            .ends(Outcome::Failed, &["http://169.254.169.254", "not granted", "allow.http"]),
        asks("giant-response", "/giant", "reads an HTTP response without end")
            .limited("response = \"1MiB\"")
            .ends(Outcome::Failed, &["larger than the 1.0 MiB that are allowed", "limits.response"]),
        asks("giant-head", "/giant-head", "reads the head of an HTTP response without end")
            .ends(Outcome::Failed, &["head of an HTTP response is larger", "100 fields"]),
        asks("slow-loris", "/slow", "reads an HTTP response that comes a byte at a time")
            .with("http = { total_timeout = \"300ms\" }\n")
            .ends(Outcome::Failed, &["took too long in all", "http.total_timeout"]),
        asks("silent-server", "/silent", "waits for an HTTP response that does not come")
            .briefly()
            .ends(Outcome::TimedOut, &["limits.timeout"]),
    ]
}
