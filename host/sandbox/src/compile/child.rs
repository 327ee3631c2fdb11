//! The compiler as a process of its own: the side of the process.

use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use super::{
    message::{Answer, Request, Work},
    precompile::precompile,
};
use crate::engine::compatibility;

/// Compiles a plugin as the process that [`Compiler::Process`](crate::Compiler::Process) names: `args` are the arguments
/// that the sandbox added to those of that process, the plugin comes on stdin, the code goes to stdout.
///
/// The process lowers its own priority and bounds its own memory before it reads the plugin, and it ends as soon as nobody
/// is there any more who would take its answer: when the host was killed, it does not compile on.
pub fn compile_plugin(args: &[String]) -> ExitCode {
    let answer = match Request::from_args(args) {
        Ok(request) => match bound(request.memory) {
            Ok(()) => answer(&request, io::stdin().lock()),
            Err(e) => Answer::Failed(format!("its memory cannot be bounded: {e}")),
        },
        Err(why) => Answer::Failed(why),
    };
    let (head, rest) = answer.head();
    let mut out = io::stdout().lock();
    match out.write_all(&head).and_then(|()| out.write_all(rest)).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("the code cannot be handed over: {e}");
            ExitCode::FAILURE
        }
    }
}

fn answer(request: &Request, mut input: impl Read) -> Answer {
    let engine = match request.settings.compiler() {
        Ok(engine) => engine,
        Err(e) => return Answer::Failed(format!("{e:#}")),
    };
    // Before the plugin is looked at: code for another engine would be of no use.
    if compatibility(&engine) != request.compatibility {
        return Answer::Other;
    }
    // The compiler's threads start with the first function, and there must be memory for their stacks.
    if let answer @ (Answer::OutOfMemory | Answer::Failed(_)) = precompile(&engine, Work::Module, SMALLEST) {
        return answer;
    }
    let mut binary = Vec::new();
    match input.read_to_end(&mut binary) {
        Ok(_) => precompile(&engine, request.work, &binary),
        Err(e) if e.kind() == io::ErrorKind::OutOfMemory => Answer::OutOfMemory,
        Err(e) => Answer::Failed(format!("the plugin cannot be read: {e}")),
    }
}

/// A module with one function that does nothing.
const SMALLEST: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";

/// Lowers this process's priority and bounds its memory.
#[cfg(unix)]
fn bound(memory: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
    /// Below the threads that guests run on.
    const NICE: i32 = 10;
    // What could not be lowered costs nothing but patience.
    let _ = nice(NICE);
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // What the process has written, or may: address space that is merely reserved is free. Elsewhere only that is counted.
    let resource = if cfg!(target_os = "linux") { Resource::Data } else { Resource::As };
    let most = getrlimit(resource).maximum.map_or(memory, |most| most.min(memory));
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    // A compiler that dies is told of; what it was at is not left lying on the disk.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    end_with_the_host()
}

/// Ends this process when the other end of stdout is closed. The signal above may come too early, when the host ends before
/// it is asked for, and only Linux has it.
#[cfg(unix)]
fn end_with_the_host() -> io::Result<()> {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
    };
    /// It counts as memory that the compiler takes.
    const STACK: usize = 64 << 10;
    let watch = || {
        let out = io::stdout();
        loop {
            let mut ends = [PollFd::new(&out, PollFlags::empty())];
            match poll(&mut ends, None) {
                Ok(_) if !ends[0].revents().is_empty() => std::process::exit(1),
                Ok(_) | Err(Errno::INTR) => {}
                // Then the answer fails in the end.
                Err(_) => return,
            }
        }
    };
    std::thread::Builder::new().name("host".into()).stack_size(STACK).spawn(watch).map(drop)
}

#[cfg(not(unix))]
fn bound(_: u64) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineSettings;

    fn request() -> Request {
        let settings = EngineSettings::default();
        let compatibility = compatibility(&settings.compiler().unwrap());
        Request { work: Work::Module, settings, memory: 1 << 30, compatibility }
    }

    #[test]
    fn a_plugin_becomes_code_or_a_reason() {
        let module = wat::parse_str("(module)").unwrap();
        assert!(matches!(answer(&request(), &module[..]), Answer::Code(_)));
        assert!(matches!(answer(&request(), &module[..5]), Answer::Invalid(_)));
        let component = Request { work: Work::Component, ..request() };
        assert!(matches!(answer(&component, &module[..]), Answer::Invalid(_)));
        let text = Request { work: Work::Assemble, ..request() };
        assert_eq!(answer(&text, &b"(module)"[..]), Answer::Code(module));
        assert!(matches!(answer(&text, &b"(module oops)"[..]), Answer::Invalid(why) if why.contains("oops")));
    }

    #[test]
    fn the_smallest_module_is_one() {
        let engine = EngineSettings::default().compiler().unwrap();
        assert!(matches!(precompile(&engine, Work::Module, SMALLEST), Answer::Code(_)));
    }

    #[test]
    fn a_compiler_that_would_make_other_code_says_so() {
        let other = Request { compatibility: [0; 32], ..request() };
        assert_eq!(answer(&other, &b""[..]), Answer::Other);
        let fuelled = Request { settings: EngineSettings { fuel: true, stack: None }, ..request() };
        assert_eq!(answer(&fuelled, &b""[..]), Answer::Other);
    }
}
