//! Each right that a plugin wants, against what it is granted.

use std::{collections::BTreeSet, path::Path};

use clockbox_core::model::Rights;
use serde::Serialize;

use super::{
    grant::{Grant, Grantee},
    granted::{RIGHTS, granted},
};
use crate::{cli::text::plain, manifest::Wanted, sandbox::Inspection as Outline};

/// How much a plugin wants a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Want {
    /// It is refused without it, as it imports what the right is for.
    Required,
    /// It asks for it where it describes itself.
    Described,
    /// It imports what the right is for. That says little: most toolchains import files and the environment always.
    Possible,
    /// Nothing shows that it does.
    None,
}

/// One right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RightRow {
    /// Its name, as written under `allow`.
    pub(super) right: &'static str,
    pub(super) wanted: Want,
    /// The imports that it is for.
    pub(super) imports: Vec<String>,
    /// What of it the plugin asks for: origins, folders, names.
    pub(super) described: Vec<String>,
    /// Whether something of it is granted; nothing where there is nothing to compare with.
    pub(super) granted: Option<bool>,
    /// What of it is granted.
    pub(super) grants: Vec<String>,
    /// What the plugin asks for and does not get.
    pub(super) missing: Vec<String>,
    /// What would grant it.
    pub(super) grant: Option<Grant>,
}

/// What a plugin says that it wants, in its own description and in its sidecar.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked(Vec<Wanted>);

impl Asked {
    pub(super) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self(texts.into_iter().map(Wanted::of).collect())
    }

    /// What of it is not among these rights, in words such as `http https://api.example.com`.
    pub(super) fn beyond(&self, rights: &Rights) -> BTreeSet<String> {
        self.0.iter().flat_map(|wanted| wanted.beyond(rights)).collect()
    }

    /// What a plugin that has `rights` loses under the narrower ones `left`: what it asks for, and what it imports and is
    /// refused without.
    pub(super) fn lost(&self, outline: &Outline, rights: &Rights, left: &Rights) -> Vec<String> {
        let anyhow = self.beyond(rights);
        let mut lost: BTreeSet<String> = self.beyond(left).difference(&anyhow).cloned().collect();
        let is_open = |rights: &Rights, right: &str| granted(rights, right, Path::new("")).is_some();
        let shut = |right: &&str| outline.requires(right) && is_open(rights, right) && !is_open(left, right);
        lost.extend(RIGHTS.into_iter().filter(shut).map(ToOwned::to_owned));
        lost.iter().map(|words| plain(words)).collect()
    }

    /// What of a right it names, and whether it asks for it at all.
    fn named(&self, right: &str) -> (bool, Vec<String>) {
        let (mut asked, mut named) = (false, BTreeSet::new());
        for wanted in &self.0 {
            let names = match right {
                "http" => &wanted.http,
                "tcp" => &wanted.tcp,
                "read" => &wanted.read,
                "write" => &wanted.write,
                "env" => &wanted.env,
                "secrets" => &wanted.secrets,
                _ => {
                    asked |= wanted.flags.contains(&right);
                    continue;
                }
            };
            named.extend(names.iter().cloned());
        }
        (asked || !named.is_empty(), named.into_iter().collect())
    }
}

/// A row for each right that is wanted or granted. `is_compared` says whether there is a manifest that could grant it.
pub(super) fn rows(outline: &Outline, asked: &Asked, to: &Grantee<'_>, is_compared: bool) -> Vec<RightRow> {
    let beyond = asked.beyond(to.rights);
    let base = to.manifest.and_then(Path::parent).unwrap_or(Path::new(""));
    let row = |right: &'static str| {
        let imports: Vec<String> = outline.imports_for(right).map(ToOwned::to_owned).collect();
        let (is_asked, named) = asked.named(right);
        let wanted = match () {
            () if outline.requires(right) => Want::Required,
            () if is_asked => Want::Described,
            () if !imports.is_empty() => Want::Possible,
            () => Want::None,
        };
        let given = granted(to.rights, right, base).filter(|_| is_compared);
        if wanted == Want::None && given.is_none() {
            return None;
        }
        let lead = format!("{right} ");
        let missing: Vec<&str> = beyond.iter().filter_map(|words| words.strip_prefix(&lead)).collect();
        let lacks = given.is_none() || !missing.is_empty();
        let grant = if lacks { to.grant(right, &missing) } else { None };
        let fit = |items: Vec<String>| items.iter().map(|item| plain(item)).collect();
        Some(RightRow {
            right,
            wanted,
            imports,
            described: fit(named),
            granted: is_compared.then_some(given.is_some()),
            grants: fit(given.unwrap_or_default()),
            missing: if is_compared { missing.into_iter().map(plain).collect() } else { Vec::new() },
            grant: grant.map(|grant| Grant {
                toml: plain(&grant.toml),
                r#where: plain(&grant.r#where),
                ..grant
            }),
        })
    };
    RIGHTS.into_iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{manifest::Grants, sandbox::inspect};

    fn outline() -> Outline {
        let imports =
            ["clockbox:state/store@0.1.0", "wasi:cli/environment@0.2.3", "wasi:filesystem/types@0.2.3"];
        let imports: String = imports.iter().map(|name| format!("(import \"{name}\" (instance))")).collect();
        inspect(format!("(component {imports})").as_bytes()).unwrap()
    }

    fn of(asked: &str, rights: &Rights, is_compared: bool) -> Vec<RightRow> {
        let grants = Grants::default();
        let to = Grantee { plugin: "x", manifest: None, rights, grants: &grants };
        rows(&outline(), &Asked::of([asked]), &to, is_compared)
    }

    fn brief(rows: &[RightRow]) -> Vec<(&str, Want, Option<bool>)> {
        rows.iter().map(|row| (row.right, row.wanted, row.granted)).collect()
    }

    #[test]
    fn what_is_imported_asked_for_and_granted_comes_together() {
        let rights =
            Rights { env: [("LANG".to_owned(), "C".to_owned())].into(), dns: true, ..Rights::default() };
        let rows = of("allow = { env = ['LANG', 'TZ'], http = ['https://a.example'] }", &rights, true);
        assert_eq!(
            brief(&rows),
            [
                ("http", Want::Described, Some(false)),
                ("dns", Want::None, Some(true)),
                ("read", Want::Possible, Some(false)),
                ("write", Want::Possible, Some(false)),
                ("env", Want::Described, Some(true)),
                ("state", Want::Required, Some(false)),
            ]
        );
        assert_eq!(rows[0].missing, ["https://a.example"]);
        assert_eq!(rows[0].grant.as_ref().unwrap().toml, "allow.http = [\"https://a.example\"]");
        assert_eq!(rows[1].grant, None, "it has it");
        assert!(rows[2].grant.as_ref().unwrap().example);
        assert_eq!(
            (&rows[4].described[..], &rows[4].missing[..]),
            (&["LANG".into(), "TZ".into()][..], &["TZ".into()][..])
        );
        assert_eq!(rows[5].grant.as_ref().unwrap().toml, "allow.state = true");
    }

    #[test]
    fn what_a_job_loses_is_what_its_plugin_asks_for_and_has() {
        let asked = Asked::of(["allow = { env = ['LANG', 'TZ'], dns = true }"]);
        let env = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        let rights = Rights { env: env(&["LANG"]), state: true, ..Rights::default() };
        assert_eq!(asked.lost(&outline(), &rights, &Rights::default()), ["env LANG", "state"]);
        assert_eq!(asked.lost(&outline(), &rights, &rights), [""; 0]);
    }

    #[test]
    fn without_a_manifest_nothing_is_compared() {
        let rows = of("allow = { http = ['https://a.example'] }", &Rights::default(), false);
        assert!(rows.iter().all(|row| row.granted.is_none() && row.missing.is_empty()), "{rows:?}");
        assert_eq!(rows[0].grant.as_ref().unwrap().r#where, "under [plugins.x] in a manifest");
    }

    #[test]
    fn a_description_cannot_forge_a_line() {
        let rows = of("allow = { read = [\"/a\\n  http granted\\u001b[2J\"] }", &Rights::default(), true);
        let row = rows.iter().find(|row| row.right == "read").unwrap();
        assert_eq!(row.missing, ["/a\u{fffd}  http granted\u{fffd}[2J"]);
        assert!(!row.grant.as_ref().unwrap().toml.contains(['\n', '\u{1b}']), "{row:?}");
    }
}
