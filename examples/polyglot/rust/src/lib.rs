//! The new entries of an RSS or Atom feed: its output is what was not there at the runs before.

use clockbox_sdk::{JobError, OrFail, http, job, log, state};
use roxmltree::{Document, Node};

/// So many entries are remembered; a feed shows fewer.
const REMEMBERED: usize = 1000;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    url: String,
}

#[derive(serde::Serialize)]
struct Entry {
    #[serde(skip)]
    id: String,
    title: String,
    link: String,
}

fn run(args: Args) -> Result<Vec<Entry>, JobError> {
    let mut request = http::Request::get(&args.url);
    if let Some(modified) = state::get_json::<String>("modified")? {
        request = request.header("if-modified-since", modified);
    }
    let response = request.send()?;
    if response.status == 304 {
        log::info!("nothing changed since the last run");
        return Ok(Vec::new());
    }
    if !response.is_success() {
        return Err(JobError::retry("status", format!("{} answers {}", args.url, response.status)));
    }

    let entries = entries(&response.text()).or_fatal("not-a-feed")?;
    let mut seen: Vec<String> = state::get_json("seen")?.unwrap_or_default();
    let new: Vec<Entry> = entries.into_iter().filter(|entry| !seen.contains(&entry.id)).collect();
    for entry in &new {
        log::info!(link = entry.link, "{}", entry.title);
    }
    seen.extend(new.iter().map(|entry| entry.id.clone()));
    seen.drain(..seen.len().saturating_sub(REMEMBERED));
    state::set_json("seen", &seen)?;
    if let Some(modified) = response.header("last-modified") {
        state::set_json("modified", &modified)?;
    }
    Ok(new)
}

/// The entries of RSS (`item`) and Atom (`entry`).
fn entries(feed: &str) -> Result<Vec<Entry>, roxmltree::Error> {
    let document = Document::parse(feed)?;
    let is_entry = |node: &Node| matches!(node.tag_name().name(), "item" | "entry");
    Ok(document.descendants().filter(is_entry).map(entry).collect())
}

fn entry(node: Node) -> Entry {
    let child = |name| node.children().find(|child| child.tag_name().name() == name);
    let text = |name| child(name).and_then(|child| child.text()).unwrap_or_default().trim().to_owned();
    let link = match child("link").and_then(|link| link.attribute("href")) {
        Some(href) => href.to_owned(),
        None => text("link"),
    };
    let id = [text("guid"), text("id"), link.clone(), text("title")].into_iter().find(|id| !id.is_empty());
    Entry { id: id.unwrap_or_default(), title: text("title"), link }
}

job!(run);

#[cfg(test)]
mod tests {
    use clockbox_sdk::{JobError, http, testing};
    use serde_json::json;

    use super::run;

    const ARGS: &str = r#"{ "url": "https://example.com/feed" }"#;

    fn answer(body: &'static str) {
        testing::answer_http(move |_| Ok(http::Response { status: 200, body: body.into(), ..Default::default() }));
    }

    #[test]
    fn an_entry_is_told_once() {
        answer("<rss><channel><item><title>One</title><link>https://example.com/1</link></item></channel></rss>");
        let one = json!([{ "title": "One", "link": "https://example.com/1" }]);
        assert_eq!(testing::call(run, ARGS), Ok(Some(one)));
        assert_eq!(testing::call(run, ARGS), Ok(Some(json!([]))));
    }

    #[test]
    fn atom_is_read_too() {
        answer(r#"<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>2</id><title>Two</title><link href="/2"/></entry></feed>"#);
        assert_eq!(testing::call(run, ARGS), Ok(Some(json!([{ "title": "Two", "link": "/2" }]))));
    }

    #[test]
    fn what_is_no_feed_is_not_tried_again() {
        answer("<p>not found");
        assert!(matches!(testing::call(run, ARGS), Err(JobError::Fatal(_))));
    }
}
