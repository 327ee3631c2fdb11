//! `clockbox build`: from a project to a plugin.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;
use clockbox_core::model::{CompileLimits, format_size};
use serde_json::json;

use super::{
    Output,
    exit::{Failure, print_json},
    plugins, text,
};
use crate::{
    author::{self, RECIPE, Recipe, World, wit},
    clock::Stopwatch,
    granted::RIGHTS,
    manifest::Wanted,
    plugin_files,
    sandbox::{Inspection, inspect},
};

#[derive(Debug, Args)]
#[command(
    after_help = "It does what clockbox-build.toml says; without one, a project with Cargo.toml, go.mod or build.zig is \
                        recognised.\n\nexit codes: 0 the plugin is there; 1 a command of the language failed; 2 it could not be \
                        built: a tool is missing, or what was made is no plugin"
)]
pub(super) struct BuildArgs {
    /// The project.
    #[arg(value_name = "DIR", default_value = ".")]
    project: PathBuf,
    #[command(flatten)]
    output: Output,
}

pub(super) fn build(args: &BuildArgs) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    let project = fs::canonicalize(&args.project)
        .map_err(|error| Failure::new(format!("{}: {error}", args.project.display())))?;
    let recipe = Recipe::of(&project).map_err(Failure::new)?.ok_or_else(|| {
        Failure::new(format!("{} is no project that can be built", args.project.display())).hint(format!(
            "`clockbox new` makes one; or say how it is built in {RECIPE}: lang, commands, output"
        ))
    })?;
    let bench = Bench { project: &project, recipe: &recipe };
    let tools = bench.tools()?;
    if let Some(folder) = &recipe.wit {
        wit::write(&project.join(folder)).map_err(Failure::new)?;
    }
    // Many compilers do not make the folder that they are to write into.
    if let Some(folder) = project.join(&recipe.output).parent() {
        fs::create_dir_all(folder).map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    }
    recipe.commands.iter().try_for_each(|words| bench.run(words, &tools))?;
    let (plugin, inspection) = bench.finish()?;
    let out = bench.out()?;
    out.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| author::put(&out, &plugin))
        .map_err(|error| Failure::new(format!("{}: {error}", out.display())))?;
    let rest = out.strip_prefix(&project).unwrap_or(&out);
    let shown = if args.project == Path::new(".") { rest.to_owned() } else { args.project.join(rest) };
    let (needed, useful) = rights(&inspection);
    let kind = inspection.kind.map(|kind| kind.to_string()).unwrap_or_default();
    if args.output.json {
        return print_json(&json!({
            "plugin": shown, "lang": recipe.lang, "kind": kind, "size": plugin.len(), "sha256": inspection.sha256,
            "needs": needed, "may_use": useful,
        }));
    }
    eprintln!(
        "{} is a {kind} of {}, built in {}",
        shown.display(),
        format_size(plugin.len() as u64),
        text::span(watch.elapsed())
    );
    for (verb, rights) in [("needs", needed), ("may use", useful)] {
        if !rights.is_empty() {
            eprintln!("  it {verb}: {}", rights.join(", "));
        }
    }
    Ok(())
}

/// What it is refused without or asks for, and what may be of use to it.
fn rights(inspection: &Inspection) -> (Vec<&'static str>, Vec<&'static str>) {
    let wanted = inspection.job.as_deref().map(Wanted::of).unwrap_or_default();
    let asks = |right: &str| match right {
        "http" => !wanted.http.is_empty(),
        "tcp" => !wanted.tcp.is_empty(),
        "read" => !wanted.read.is_empty(),
        "write" => !wanted.write.is_empty(),
        "env" => !wanted.env.is_empty(),
        "secrets" => !wanted.secrets.is_empty(),
        _ => wanted.flags.contains(&right),
    };
    let (needed, rest): (Vec<&str>, Vec<&str>) =
        RIGHTS.into_iter().partition(|right| inspection.requires(right) || asks(right));
    let useful = rest.into_iter().filter(|right| inspection.imports_for(right).next().is_some());
    (needed, useful.collect())
}

/// A project and how it is built.
struct Bench<'a> {
    project: &'a Path,
    recipe: &'a Recipe,
}

impl Bench<'_> {
    /// Where each tool lies; or all that are missing, each with how to get it.
    fn tools(&self) -> Result<Vec<(String, PathBuf)>, Failure> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for (name, tool) in &self.recipe.tools {
            match tool.names(name).into_iter().find_map(|name| self.find(name)) {
                Some(path) => found.push((name.clone(), path)),
                None => missing.push((tool.names(name).join(" or "), tool.get())),
            }
        }
        match missing.split_first() {
            None => Ok(found),
            Some(_) => {
                let names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
                let hints: Vec<String> = missing.iter().map(|(name, get)| format!("{name}: {get}")).collect();
                Err(Failure::new(format!("not found: {}", names.join(", "))).hint(hints.join("\nhint: ")))
            }
        }
    }

    /// Where programs are looked for, in order.
    fn folders(&self) -> Vec<PathBuf> {
        let own = self.recipe.path.iter().map(|folder| self.project.join(folder));
        let path = env::var_os("PATH").unwrap_or_default();
        own.chain(env::split_paths(&path)).collect()
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        // Where programs have endings, tools are mostly one of these.
        let endings: &[&str] = if cfg!(windows) { &["", ".exe", ".cmd", ".bat"] } else { &[""] };
        let files = |folder: PathBuf| endings.iter().map(move |end| folder.join(format!("{name}{end}")));
        self.folders().into_iter().flat_map(files).find(|path| is_program(path))
    }

    /// Runs one command to its end. What it says goes to stderr.
    fn run(&self, words: &[String], tools: &[(String, PathBuf)]) -> Result<(), Failure> {
        let Some((name, args)) = words.split_first() else { return Ok(()) };
        let said = words.join(" ");
        let known = tools.iter().find(|(tool, _)| tool == name).map(|(_, path)| path.clone());
        let program = known.or_else(|| self.find(name)).ok_or_else(|| {
            let failure = Failure::new(format!("{said}: there is no program {name:?}"));
            failure.with_hint(self.recipe.hint.as_deref())
        })?;
        eprintln!("$ {said}");
        let path: OsString =
            env::join_paths(self.folders()).map_err(|error| Failure::new(format!("PATH: {error}")))?;
        let status = Command::new(&program)
            .args(args)
            .current_dir(self.project)
            .env("PATH", path)
            .envs(&self.recipe.env)
            .stdin(Stdio::null())
            .stdout(Stdio::from(std::io::stderr()))
            .status()
            .map_err(|error| Failure::new(format!("{}: {error}", program.display())))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::no(format!("{said}: {status}")).with_hint(self.recipe.hint.as_deref()))
    }

    /// What was made, as a plugin that describes itself.
    fn finish(&self) -> Result<(Vec<u8>, Inspection), Failure> {
        let output = self.project.join(&self.recipe.output);
        let shown = self.recipe.output.display();
        let made = plugin_files::read(&output, CompileLimits::default().max_size).map_err(|error| {
            Failure::new(format!("{shown}: {error}"))
                .hint("the commands ended well; is `output` what they make?")
        })?;
        let wit = self.recipe.wit.as_ref().map(|folder| self.project.join(folder));
        let world = wit.as_deref().zip(self.recipe.world.as_deref()).map(|(wit, name)| World { wit, name });
        let failed = |why: String| Failure::new(format!("{shown}: {why}"));
        let mut plugin = author::plugin(made, world).map_err(failed)?;
        if let Some(file) = &self.recipe.describe {
            let path = self.project.join(file);
            let text = fs::read_to_string(&path)
                .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
            // What is wrong with the file is told below.
            let kind = inspect(&plugin).ok().and_then(|found| found.kind);
            let faults = plugins::faults(&text, file, Some(file), kind);
            if !faults.is_empty() {
                faults.iter().for_each(|fault| eprintln!("{fault}"));
                return Err(Failure::new(format!("{} has mistakes", file.display())));
            }
            plugin = author::describe(&plugin, Some(&text)).map_err(|error| failed(error.to_string()))?;
        }
        let inspection =
            inspect(&plugin).map_err(|error| failed(error.to_string()).with_hint(error.hint().as_deref()))?;
        if inspection.kind.is_none() {
            return Err(failed("it exports nothing that can be run".to_owned())
                .hint("a plugin exports clockbox:job/runner or wasi:cli/run, or is a module with `_start`"));
        }
        Ok((plugin, inspection))
    }

    /// Where the plugin goes.
    fn out(&self) -> Result<PathBuf, Failure> {
        if let Some(plugin) = &self.recipe.plugin {
            return Ok(self.project.join(plugin));
        }
        let name = self.project.file_name().ok_or_else(|| {
            Failure::new("the folder has no name that the plugin could take")
                .hint("say `plugin` in the recipe")
        })?;
        Ok(self.project.join(format!("{}.wasm", name.to_string_lossy())))
    }
}

fn is_program(path: &Path) -> bool {
    let Ok(meta) = fs::metadata(path) else { return false };
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 == 0 {
        return false;
    }
    meta.is_file()
}
