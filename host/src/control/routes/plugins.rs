//! Plugins: list, get, upload.

use std::{sync::Arc, time::Duration};

use axum::{
    Json as Answer,
    body::{Body, to_bytes},
    extract::State,
};
use bytes::Bytes;
use clockbox_core::model::PluginName;
use clockbox_sandbox::{Inspection, PluginError, inspect};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::scheduler::{RELOAD_PATIENCE, refused};
use crate::{
    control::{
        Uploads,
        app::App,
        extract::Name,
        problem::Problem,
        upload::{Placed, path_of},
        view::PluginView,
    },
    manifest::suggest,
    pool::Work,
    reload_answer::{Reloaded, Reloading},
    scheduler::SchedulerError,
};

/// How long a file may be on its way here.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, upload))
}

/// Every plugin, by name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Plugins {
    /// The plugins.
    pub(crate) plugins: Vec<PluginView>,
}

/// List the plugins that are loaded, and those that were refused.
#[utoipa::path(get, path = "/v1/plugins", tag = "plugins", responses(
    (status = 200, description = "The plugins", body = Plugins),
))]
async fn list(State(app): State<App>) -> Result<Answer<Plugins>, Problem> {
    let jobs = app.scheduler.jobs_of_plugins().await?;
    let view = |name: PluginName| {
        let loaded = app.scheduler.loaded(&name)?;
        Some(PluginView::new(
            &name,
            &loaded,
            jobs.get(&name).copied().unwrap_or_default(),
            app.manifest_folder(),
        ))
    };
    Ok(Answer(Plugins { plugins: app.scheduler.plugin_names().into_iter().filter_map(view).collect() }))
}

/// One plugin.
#[utoipa::path(get, path = "/v1/plugins/{name}", tag = "plugins", params(("name" = String, Path, description = "The plugin")), responses(
    (status = 200, description = "The plugin", body = PluginView),
    (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(app): State<App>, Name(name): Name<PluginName>) -> Result<Answer<PluginView>, Problem> {
    Ok(Answer(shown(&app, &name).await?))
}

async fn shown(app: &App, name: &PluginName) -> Result<PluginView, Problem> {
    let Some(loaded) = app.scheduler.loaded(name) else {
        let known = app.scheduler.plugin_names();
        let hint = suggest::hint("plugins", name.as_str(), known.iter().map(PluginName::as_str));
        let detail = format!("there is no plugin {:?}", name.as_str());
        return Err(Problem::not_found("no-such-plugin", detail).hint(hint));
    };
    let jobs = app.scheduler.jobs_of_plugins().await?;
    Ok(PluginView::new(name, &loaded, jobs.get(name).copied().unwrap_or_default(), app.manifest_folder()))
}

/// Put a plugin into the plugin folder, and load it. Only where `[server]` says `uploads = true`.
///
/// The file takes its place at one stroke once it is known to be a plugin, and what was there is put back where the host
/// refuses to load it. It gets the rights that the manifest grants to its name: none if it says nothing.
#[utoipa::path(post, path = "/v1/plugins/{name}", tag = "plugins",
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "The file"),
    params(("name" = String, Path, description = "The plugin")),
    responses(
        (status = 200, description = "The plugin that has taken the place of another", body = PluginView),
        (status = 201, description = "The new plugin", body = PluginView),
        (status = 403, description = "Uploads are off, or the token is good for looking only", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "It is larger than scheduler.compile.max_size", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is no plugin, or the host does not load it", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It was refused", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn upload(
    State(app): State<App>,
    Name(name): Name<PluginName>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Answer<PluginView>), Problem> {
    let (Some(mut uploads), Some(reload)) = (app.hooks.uploads.clone(), app.hooks.reload.clone()) else {
        let problem = Problem::new(StatusCode::FORBIDDEN, "uploads-off", "plugins are not uploaded here");
        return Err(problem.hint("say uploads = true in [server], and start the host again"));
    };
    // A reload may have named another folder.
    if let Some(settings) = &app.hooks.settings {
        uploads.folder = settings.plugin_dir();
    }
    let Ok(alone) = Arc::clone(&app.uploading).try_lock_owned() else {
        let problem = Problem::new(StatusCode::CONFLICT, "uploading", "another plugin is being uploaded");
        return Err(problem.hint("try again when that is done"));
    };
    check_kind(&headers)?;
    check_place(&app, &uploads, &name)?;
    let bytes = read(body, uploads.max_size).await?;
    let outline = look(bytes.clone()).await?;
    // From here on it is brought to its end, also when the client goes.
    let done = tokio::spawn(async move {
        let done = load(&app, &uploads, &name, bytes, &outline, &*reload).await;
        drop(alone);
        done
    });
    done.await.map_err(|error| Problem::broken(error.to_string()))?
}

/// Puts the file in its place, and back what was there where the host does not load it.
async fn load(
    app: &App,
    uploads: &Uploads,
    name: &PluginName,
    bytes: Bytes,
    outline: &Inspection,
    reload: &(dyn Fn() -> Reloading + Send + Sync),
) -> Result<(StatusCode, Answer<PluginView>), Problem> {
    let (folder, file_of) = (uploads.folder.clone(), name.clone());
    let placed = on_disk(move || Placed::put(&folder, &file_of, &bytes)).await?;
    let is_new = !placed.replaced();
    let told = tokio::time::timeout(RELOAD_PATIENCE, reload()).await;
    let is_loaded = app.scheduler.loaded(name).is_some_and(
        |loaded| matches!(loaded.work, Work::Plugin(plugin) if plugin.digest() == outline.sha256),
    );
    let told = match told {
        // Others may have problems of their own.
        Ok(Ok(_)) if is_loaded => Ok(()),
        Ok(Ok(Ok(Reloaded { problems, .. }) | Err(problems))) => Err(refused(problems)),
        Ok(Err(_)) => Err(SchedulerError::Stopped.into()),
        Err(_) => {
            let detail = "the host did not load it in time";
            Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "slow", detail))
        }
    };
    if let Err(problem) = told {
        on_disk(|| placed.undo()).await?;
        drop(reload());
        return Err(problem);
    }
    on_disk(|| placed.keep()).await?;
    tracing::info!("plugin {:?} was uploaded: {}", name.as_str(), outline.sha256);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answer(shown(app, name).await?)))
}

/// A page in a browser can send a form to any host, but neither of these.
fn check_kind(headers: &HeaderMap) -> Result<(), Problem> {
    let said = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if matches!(said, "application/wasm" | "application/octet-stream") {
        return Ok(());
    }
    let detail = "the body is not said to be WebAssembly";
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-wasm", detail);
    Err(problem.hint("send the header Content-Type: application/wasm"))
}

/// A plugin that lies elsewhere would not be replaced by a file in the plugin folder.
fn check_place(app: &App, uploads: &Uploads, name: &PluginName) -> Result<(), Problem> {
    let Some(Work::Plugin(plugin)) = app.scheduler.loaded(name).map(|loaded| loaded.work) else {
        return Ok(());
    };
    let path = &plugin.spec().path;
    if *path == path_of(&uploads.folder, name) {
        return Ok(());
    }
    let detail = format!("plugin {:?} is {}, and not in the plugin folder", name.as_str(), path.display());
    let problem = Problem::new(StatusCode::CONFLICT, "elsewhere", detail);
    Err(problem.hint("choose another name, or take `path` out of the plugin's section in the manifest"))
}

async fn read(body: Body, most: u64) -> Result<Bytes, Problem> {
    let limit = usize::try_from(most).unwrap_or(usize::MAX);
    let read = tokio::time::timeout(UPLOAD_PATIENCE, to_bytes(body, limit))
        .await
        .map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "slow", "the file took too long to come"))?;
    read.map_err(|error| {
        let is_large = std::error::Error::source(&error)
            .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if is_large {
            let detail = format!("the file is larger than {most} bytes");
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail);
            return problem.hint("raise scheduler.compile.max_size in the manifest");
        }
        Problem::bad_request(format!("the file did not come whole: {error}"))
    })
}

/// What the file is; without compiling or running anything of it.
async fn look(bytes: Bytes) -> Result<Inspection, Problem> {
    let no_plugin = |error: PluginError| {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no-plugin", error.to_string());
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    };
    let outline = tokio::task::spawn_blocking(move || inspect(&bytes)).await;
    let outline = outline.map_err(|error| Problem::broken(error.to_string()))?.map_err(no_plugin)?;
    if outline.kind.is_none() {
        let detail = "it exports nothing that clockbox can run";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no-plugin", detail)
            .hint("`clockbox plugins inspect FILE` shows what is in it"));
    }
    Ok(outline)
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Problem::broken(error.to_string()))?;
    done.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Problem::new(StatusCode::CONFLICT, "elsewhere", error.to_string())
        }
        _ => Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "plugin-folder",
            format!("the plugin folder cannot be written to: {error}"),
        ),
    })
}
