//! The compiler as a process of its own: the side of the host.

use std::{
    ffi::OsString,
    io::{self, Read, Write as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};

use super::message::{Answer, Request};
use crate::PluginError;

/// The most that is kept of what the process says on stderr, in bytes.
const MOST_TALK: u64 = 16 << 10;
/// What the process is given of the host's environment: nothing, but where the system finds what every program needs.
const ENVIRONMENT: [&str; 4] = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot", "LLVM_PROFILE_FILE"];

/// The most threads of the process: each takes some of its memory even if it does nothing, and this many leave a large
/// machine to the jobs that run.
const MOST_THREADS: usize = 4;

/// Compiles a binary in a process that is killed when it takes longer than `timeout`.
pub(super) fn compile(
    program: &Path,
    args: &[OsString],
    request: &Request,
    binary: &[u8],
    timeout: Duration,
) -> Result<Vec<u8>, PluginError> {
    let failed = |why: String| PluginError::Compiler(format!("{}: {why}", program.display()));
    let mut child =
        start(program, args, request).map_err(|e| failed(format!("it cannot be started: {e}")))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(failed("it has no pipes".to_owned()));
    };
    let (done, ended) = mpsc::channel();
    let (heard, status) = std::thread::scope(|scope| {
        // A process that ends early does not read on; what it answered says why.
        scope.spawn(move || drop(stdin.write_all(binary)));
        scope.spawn(move || {
            let said = scope.spawn(|| listen(stderr));
            let answer = read(stdout, request.memory);
            let said = said.join().unwrap_or_default();
            // The host has given up on it if nobody listens.
            drop(done.send((answer, said)));
        });
        let heard = ended.recv_timeout(timeout);
        // One that has closed its pipes is at its end, and keeps the exit code that it has.
        (heard, end(&mut child))
    });
    let status = status.map_err(|e| failed(format!("it cannot be waited for: {e}")))?;
    let (answer, said) = match heard {
        Ok(heard) => heard,
        Err(mpsc::RecvTimeoutError::Timeout) => return Err(PluginError::CompileTimeout { limit: timeout }),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            return Err(failed("it cannot be listened to".to_owned()));
        }
    };
    match answer.map(Answer::read) {
        Ok(Some(Answer::Code(code))) => Ok(code),
        Ok(Some(Answer::Invalid(why))) => Err(PluginError::Invalid(why)),
        Ok(Some(Answer::OutOfMemory)) => Err(PluginError::CompileMemory { limit: request.memory }),
        Ok(Some(Answer::Other)) => Err(failed(
            "it is another version than this host, or made for another processor: was the program replaced \
             while the host runs? Restart the host"
                .to_owned(),
        )),
        Ok(Some(Answer::Failed(why))) => Err(failed(why)),
        Ok(None) if ran_out_of_memory(status, &said) => {
            Err(PluginError::CompileMemory { limit: request.memory })
        }
        Ok(None) => Err(failed(format!("it ended without code ({status}){}", last_line(&said)))),
        Err(e) => Err(failed(format!("its answer cannot be read: {e}"))),
    }
}

fn start(program: &Path, args: &[OsString], request: &Request) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args(args).args(request.to_args());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_clear();
    command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS));
    command.env("RAYON_NUM_THREADS", threads.to_string());
    // mimalloc, which `clockbox` uses, would take a gigabyte before it is asked to, and all of that would count. What it
    // takes it takes at once, so that it hears when there is no more.
    for (name, value) in [("DISALLOW_ARENA_ALLOC", "1"), ("EAGER_COMMIT", "1"), ("EAGER_COMMIT_DELAY", "0")] {
        command.env(format!("MIMALLOC_{name}"), value);
    }
    // A group of its own: Ctrl-C is the host's matter, and its end is the end of all that it started.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Kills what is left of the process and takes its exit status.
fn end(child: &mut Child) -> io::Result<ExitStatus> {
    #[cfg(unix)]
    if let Ok(pid) = i32::try_from(child.id())
        && let Some(pid) = rustix::process::Pid::from_raw(pid)
    {
        // It may be gone already; its number is its own until it was waited for.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    // An error means that it has ended.
    let _ = child.kill();
    child.wait()
}

/// All of the answer, which takes less than the memory that the process may have.
fn read(stdout: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    stdout.take(most).read_to_end(&mut answer)?;
    Ok(answer)
}

/// What the process says, up to a length; the rest is heard so that it can go on.
fn listen(mut stderr: impl Read) -> String {
    let mut said = Vec::new();
    let heard = (&mut stderr).take(MOST_TALK).read_to_end(&mut said);
    if heard.is_ok() {
        // What it says at such length is of no interest.
        drop(io::copy(&mut stderr, &mut io::sink()));
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Whether the process gave up because it got no memory: Rust programs abort then, and say so.
fn ran_out_of_memory(status: ExitStatus, said: &str) -> bool {
    #[cfg(unix)]
    let aborted = std::os::unix::process::ExitStatusExt::signal(&status) == Some(6);
    #[cfg(not(unix))]
    let aborted = !status.success();
    aborted && said.contains("memory allocation of")
}

/// The end of what it said, without the hint that Rust's panics end with.
fn last_line(said: &str) -> String {
    let told = |line: &&str| !line.is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE");
    let line = said.lines().rev().map(str::trim).find(told);
    line.map(|line| format!(": {}", crate::log::clean(line))).unwrap_or_default()
}
