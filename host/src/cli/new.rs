//! `clockbox new`: a project for a plugin.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use super::{
    Output,
    exit::{Failure, print_json},
};
use crate::{
    author::{
        RECIPE, Recipe,
        template::{self, Terms},
        wit,
    },
    manifest,
};

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// Its name, and that of the folder that is made for it here: lower-case letters, digits and '-'.
    name: String,
    /// The language: rust, python, javascript, typescript, go, c, zig.
    #[arg(short, long, value_name = "LANGUAGE")]
    lang: String,
    /// Make the folder in this one.
    #[arg(long = "in", value_name = "FOLDER", default_value = ".")]
    within: PathBuf,
    /// Where the SDKs of clockbox lie, for a project in Rust: the folder `sdk` of a clone. Else CLOCKBOX_SDK, else the released
    /// crate.
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn new(args: &NewArgs) -> Result<(), Failure> {
    let NewArgs { name, lang, .. } = args;
    template::check_name(name).map_err(|why| {
        Failure::new(format!("{name:?} cannot be the name of a project: {why}"))
            .hint("take lower-case letters, digits and '-', as in disk-watch")
    })?;
    let languages = template::languages();
    if !languages.contains(lang.as_str()) {
        let hint = manifest::known_hint("languages", lang, languages.iter().copied());
        return Err(Failure::new(format!("there is no template for {lang:?}")).hint(hint));
    }
    let sdk = args.sdk.clone().or_else(|| std::env::var_os("CLOCKBOX_SDK").map(PathBuf::from));
    let sdk = sdk.as_deref().map(rust_sdk).transpose()?;
    let terms = Terms { name, sdk: sdk.as_deref() };
    let files = template::files(lang, &terms)
        .map_err(|why| Failure::new(format!("the template for {lang} has a mistake: {why}")))?;
    let project = match args.within == Path::new(".") {
        true => PathBuf::from(name),
        false => args.within.join(name),
    };
    let shown = project.display();
    fs::create_dir(&project).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(format!("there is something at {shown} already"))
            .hint("nothing is ever overwritten: take another name, or put it elsewhere with --in"),
        _ => Failure::new(format!("{shown}: {error}")),
    })?;
    if let Err(failure) = fill(&project, &files) {
        // It was made just now, and holds nothing but what was written just now.
        drop(fs::remove_dir_all(&project));
        return Err(failure);
    }
    if args.output.json {
        let paths: Vec<&String> = files.iter().map(|(path, _)| path).collect();
        return print_json(&json!({ "project": project, "lang": lang, "files": paths }));
    }
    eprintln!("{shown} is a {lang} project with {} files; next:", files.len());
    eprintln!("  cd {shown}");
    let readme = files.iter().find(|(path, _)| path == "README.md").map(|(_, text)| text.as_slice());
    let readme = String::from_utf8_lossy(readme.unwrap_or_default());
    template::steps(&readme).iter().for_each(|(_, command)| eprintln!("  {command}"));
    eprintln!("README.md says the rest");
    Ok(())
}

/// Writes the files of a project, and the WIT where its recipe wants it.
fn fill(project: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    for (name, content) in files {
        let path = project.join(name);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
        made.map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        #[cfg(unix)]
        if content.starts_with(b"#!") {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            let set = fs::set_permissions(&path, mode);
            set.map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        }
    }
    let recipe = Recipe::of(project)
        .map_err(Failure::new)?
        .ok_or_else(|| Failure::new(format!("the template has no {RECIPE}")))?;
    match &recipe.wit {
        Some(folder) => wit::write(&project.join(folder)).map_err(Failure::new),
        None => Ok(()),
    }
}

/// The crate `clockbox-sdk` in a folder: in `rust` there, or the folder itself.
fn rust_sdk(folder: &Path) -> Result<PathBuf, Failure> {
    let crates = [folder.join("rust"), folder.to_owned()];
    let found = crates.iter().find(|folder| folder.join("Cargo.toml").is_file());
    let found = found.and_then(|folder| fs::canonicalize(folder).ok());
    found.ok_or_else(|| {
        Failure::new(format!("there is no crate clockbox-sdk in {}", folder.display()))
            .hint("name the folder `sdk` of a clone of clockbox with --sdk or CLOCKBOX_SDK")
    })
}
