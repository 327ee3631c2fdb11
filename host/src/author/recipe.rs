//! How a project is built: its `clockbox-build.toml`, or what its files say.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// The file that holds a recipe.
pub(crate) const FILE: &str = "clockbox-build.toml";

/// How a project is built. Paths are relative to the project.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// The language that it is in, for people.
    pub(crate) lang: String,
    /// What is run, one after another.
    pub(crate) commands: Vec<Vec<String>>,
    /// What they make.
    pub(crate) output: PathBuf,
    /// Where the finished plugin goes.
    pub(crate) plugin: Option<PathBuf>,
    /// The file with its description.
    pub(crate) describe: Option<PathBuf>,
    /// The folder that the WIT is written into.
    pub(crate) wit: Option<PathBuf>,
    /// The world that a core module implements, where it does not say so itself.
    pub(crate) world: Option<String>,
    /// Folders that are looked through for tools first.
    #[serde(default)]
    pub(crate) path: Vec<PathBuf>,
    /// What is said when a command fails.
    pub(crate) hint: Option<String>,
    /// Laid over the environment of the commands.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// The tools that it takes.
    #[serde(default)]
    pub(crate) tools: BTreeMap<String, Tool>,
}

/// A tool, and how to get it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "a text that says how to get it, or { any = [\"clang-19\", \"clang\"], get = \"…\" }"
)]
pub(crate) enum Tool {
    /// One that goes by the name that the commands use.
    Named(String),
    /// One that may go by any of these names.
    Any {
        /// The names, the best one first.
        any: Vec<String>,
        /// How to get it.
        get: String,
    },
}

impl Tool {
    /// The names that it may have.
    pub(crate) fn names<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        match self {
            Self::Named(_) => vec![name],
            Self::Any { any, .. } => any.iter().map(String::as_str).collect(),
        }
    }

    /// How to get it.
    pub(crate) fn get(&self) -> &str {
        match self {
            Self::Named(get) | Self::Any { get, .. } => get,
        }
    }
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// With what is wrong with it, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let recipe: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if recipe.commands.iter().any(Vec::is_empty) {
            return Err("commands: one of them has no word".to_owned());
        }
        if recipe.world.is_some() && recipe.wit.is_none() {
            return Err("world: it is looked for in a folder; say which with wit = \"wit\"".to_owned());
        }
        Ok(recipe)
    }

    /// The recipe of a project, as far as there is one.
    ///
    /// # Errors
    /// When there is one that cannot be used, with the file.
    pub(crate) fn of(project: &Path) -> Result<Option<Self>, String> {
        let file = project.join(FILE);
        match fs::read_to_string(&file) {
            Ok(text) => Self::parse(&text).map(Some).map_err(|why| format!("{}: {why}", file.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::recognised(project)),
            Err(error) => Err(format!("{}: {error}", file.display())),
        }
    }

    /// Where the plugin of a project in this folder goes; nothing where neither the recipe nor the folder names it.
    pub(crate) fn plugin_in(&self, project: &Path) -> Option<PathBuf> {
        let named = || Some(format!("{}.wasm", project.file_name()?.to_string_lossy()).into());
        Some(project.join(self.plugin.clone().or_else(named)?))
    }

    /// What the files of a project say: the ways that need no explanation.
    fn recognised(project: &Path) -> Option<Self> {
        let has = |name: &str| project.join(name).is_file();
        if has("Cargo.toml") {
            let manifest: toml::Table = fs::read_to_string(project.join("Cargo.toml")).ok()?.parse().ok()?;
            let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
            // A library's file has the name of the crate, a program's the name of the package.
            let file = if has("src/main.rs") { name } else { name.replace('-', "_") };
            let command =
                ["cargo", "build", "--release", "--target", "wasm32-wasip2", "--target-dir", "target"];
            let get = "install Rust from https://rustup.rs, then `rustup target add wasm32-wasip2`";
            return Some(Self::plain(
                "rust",
                &command,
                format!("target/wasm32-wasip2/release/{file}.wasm"),
                get,
            ));
        }
        if has("go.mod") {
            let output = "build/plugin.wasm";
            let command = ["go", "build", "-ldflags=-s -w", "-o", output, "."];
            let recipe = Self::plain("go", &command, output.to_owned(), "install Go from https://go.dev/dl");
            let env = [("GOOS", "wasip1"), ("GOARCH", "wasm")];
            return Some(Self {
                env: env.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
                ..recipe
            });
        }
        if has("build.zig") {
            let name = fs::canonicalize(project).ok()?.file_name()?.to_string_lossy().into_owned();
            let command = ["zig", "build", "-Dtarget=wasm32-wasi", "-Doptimize=ReleaseSmall"];
            let get = "install Zig from https://ziglang.org/download";
            let recipe = Self::plain("zig", &command, format!("zig-out/bin/{name}.wasm"), get);
            let any = ["zig", "python-zig"].map(ToOwned::to_owned).into();
            let zig = Tool::Any { any, get: format!("{get}, or `pip install ziglang`") };
            return Some(Self { tools: [("zig".to_owned(), zig)].into(), ..recipe });
        }
        None
    }

    fn plain(lang: &str, command: &[&str], output: String, get: &str) -> Self {
        Self {
            lang: lang.to_owned(),
            commands: vec![command.iter().map(|word| (*word).to_owned()).collect()],
            output: output.into(),
            plugin: None,
            describe: None,
            wit: None,
            world: None,
            path: Vec::new(),
            hint: None,
            env: BTreeMap::new(),
            tools: [(command[0].to_owned(), Tool::Named(get.to_owned()))].into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_read_strictly() {
        let recipe = Recipe::parse(
            "lang = 'c'\ncommands = [['cc', 'a.c']]\noutput = 'a.wasm'\nwit = 'wit'\nworld = 'job'\n[tools]\nzig = 'get it'\n\
             cc = { any = ['clang-19', 'clang'], get = 'apt install clang-19' }",
        );
        let recipe = recipe.unwrap();
        assert_eq!(recipe.tools["cc"].names("cc"), ["clang-19", "clang"]);
        assert_eq!((recipe.tools["zig"].names("zig"), recipe.tools["zig"].get()), (vec!["zig"], "get it"));
        for (text, why) in [
            ("lang = 'c'\noutput = 'a'", "missing field `commands`"),
            ("lang = 'c'\ncommands = [[]]\noutput = 'a'", "no word"),
            ("lang = 'c'\ncommands = []\noutput = 'a'\nouput = 'b'", "unknown field `ouput`"),
            ("lang = 'c'\ncommands = []\noutput = 'a'\nworld = 'job'", "say which with wit"),
            ("lang = 'c'\ncommands = []\noutput = 'a'\ntools = { cc = 7 }", "how to get it"),
        ] {
            let refused = Recipe::parse(text).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn plain_projects_are_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let of = || Recipe::of(folder.path()).unwrap();
        assert_eq!(of(), None);
        fs::write(folder.path().join("build.zig"), "").unwrap();
        assert_eq!(of().unwrap().tools["zig"].names("zig"), ["zig", "python-zig"]);
        fs::write(folder.path().join("go.mod"), "module x").unwrap();
        assert_eq!(of().unwrap().env["GOOS"], "wasip1");
        fs::write(folder.path().join("Cargo.toml"), "[package]\nname = 'a-b'").unwrap();
        assert_eq!(of().unwrap().output, Path::new("target/wasm32-wasip2/release/a_b.wasm"));
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/main.rs"), "").unwrap();
        assert_eq!(of().unwrap().output, Path::new("target/wasm32-wasip2/release/a-b.wasm"));
        fs::write(folder.path().join(FILE), "lang = 3").unwrap();
        assert!(Recipe::of(folder.path()).unwrap_err().contains(FILE));
    }
}
