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
    author::{
        self, RECIPE, Recipe, World,
        rust_target::{self, target_of},
        template, wit,
    },
    clock::Stopwatch,
    granted::RIGHTS,
    manifest::Wanted,
    plugin_files,
    sandbox::{Inspection, PluginKind, inspect},
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
        let language = template::language_in(&project).map(|lang| format!(" --lang {lang}"));
        Failure::new(format!("{} is no project that can be built", args.project.display())).hint(format!(
            "`clockbox new NAME{}` makes one; or say how this one is built in {RECIPE}: lang, commands, output",
            language.unwrap_or_default()
        ))
    })?;
    let bench = Bench { project: &project, recipe: &recipe };
    let tools = bench.tools()?;
    let description = bench.description()?;
    bench.targets(&tools)?;
    if let Some(folder) = &recipe.wit {
        wit::write(&project.join(folder)).map_err(Failure::new)?;
    }
    // Many compilers do not make the folder that they are to write into.
    if let Some(folder) = project.join(&recipe.output).parent() {
        fs::create_dir_all(folder).map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    }
    recipe.commands.iter().try_for_each(|words| bench.run(words, &tools))?;
    let (plugin, inspection) = bench.finish(description.as_deref())?;
    let out = recipe.plugin_in(&project).ok_or_else(|| {
        Failure::new("the folder has no name that the plugin could take").hint("say `plugin` in the recipe")
    })?;
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
        let status = self
            .command(&program)?
            .args(args)
            .stdout(Stdio::from(std::io::stderr()))
            .status()
            .map_err(|error| Failure::new(format!("{}: {error}", program.display())))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::no(format!("{said}: {status}")).with_hint(self.recipe.hint.as_deref()))
    }

    /// A program, as the project's commands are run.
    fn command(&self, program: &Path) -> Result<Command, Failure> {
        let path: OsString =
            env::join_paths(self.folders()).map_err(|error| Failure::new(format!("PATH: {error}")))?;
        let mut command = Command::new(program);
        command.current_dir(self.project).env("PATH", path).envs(&self.recipe.env).stdin(Stdio::null());
        Ok(command)
    }

    /// Refuses to begin where Rust lacks a target, which it would tell only after compiling for a while.
    fn targets(&self, tools: &[(String, PathBuf)]) -> Result<(), Failure> {
        let cargo = tools.iter().find(|(name, _)| name == "cargo");
        for (target, (_, cargo)) in self.recipe.commands.iter().filter_map(|c| target_of(c)).zip(cargo) {
            // What was built for before is there.
            if self.project.join("target").join(target).is_dir() {
                continue;
            }
            let lacks = rust_target::lacks(self.project, target, self.command(cargo)?);
            if lacks.map_err(|error| Failure::new(format!("target: {error}")))? {
                let why = format!("not found: the target {target} of {}", cargo.display());
                return Err(Failure::new(why).hint(format!("get it: rustup target add {target}")));
            }
        }
        Ok(())
    }

    /// The text of its description, which is looked at before anything is made.
    fn description(&self) -> Result<Option<String>, Failure> {
        let Some(file) = &self.recipe.describe else { return Ok(None) };
        let text = fs::read_to_string(self.project.join(file)).map_err(|error| {
            Failure::new(format!("{}: {error}", file.display())).hint(format!(
                "{RECIPE} says describe = {:?}: write the plugin's description there, such as description = \"…\", or leave \
                 `describe` out",
                file.display().to_string()
            ))
        })?;
        // What depends on the plugin is looked at when there is one.
        check(&text, file, None)?;
        Ok(Some(text))
    }

    /// What was made, as a plugin that describes itself.
    fn finish(&self, description: Option<&str>) -> Result<(Vec<u8>, Inspection), Failure> {
        let output = self.project.join(&self.recipe.output);
        let shown = self.recipe.output.display();
        let made = plugin_files::read(&output, CompileLimits::default().max_size).map_err(|error| {
            Failure::new(format!("{shown}: {error}"))
                .hint("the commands ended well; is `output` what they make?")
        })?;
        let wit = self.recipe.wit.as_ref().map(|folder| self.project.join(folder));
        let world = wit.as_deref().zip(self.recipe.world.as_deref()).map(|(wit, name)| World { wit, name });
        let failed = |why: String| Failure::new(format!("{shown}: {why}"));
        let mut plugin = author::plugin(made, world).map_err(|why| {
            let is_other = why.starts_with("it is no WebAssembly");
            failed(why).with_hint(is_other.then_some("the commands ended well; is `output` what they make?"))
        })?;
        if let Some((file, text)) = self.recipe.describe.as_deref().zip(description) {
            // What is wrong with the plugin is told below.
            check(text, file, inspect(&plugin).ok().and_then(|found| found.kind))?;
            plugin = author::describe(&plugin, Some(text)).map_err(|error| failed(error.to_string()))?;
        }
        let inspection =
            inspect(&plugin).map_err(|error| failed(error.to_string()).with_hint(error.hint().as_deref()))?;
        // Whatever it may be granted, a host would refuse it as well.
        inspection
            .check(&plugins::every_right())
            .map_err(|error| failed(error.to_string()).with_hint(error.hint().as_deref()))?;
        Ok((plugin, inspection))
    }
}

/// Refuses a description with mistakes.
fn check(text: &str, file: &Path, kind: Option<PluginKind>) -> Result<(), Failure> {
    let faults = plugins::faults(text, file, Some(file), kind);
    if faults.is_empty() {
        return Ok(());
    }
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    Err(Failure::new(format!("{} has mistakes", file.display())))
}

fn is_program(path: &Path) -> bool {
    let Ok(meta) = fs::metadata(path) else { return false };
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 == 0 {
        return false;
    }
    meta.is_file()
}
