//! Which places of the disk a path depends on.

use std::{
    collections::VecDeque,
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

/// Longer chains are a loop, as the system takes them for.
const MOST_LINKS: usize = 40;

/// The places that an absolute path leads through: each symbolic link on the way, where it really lies, and last the
/// place where the path ends. Whoever can change one of them, or what is above it, decides what the path means. What is
/// not there is taken for what its name says.
pub(super) fn way(path: &Path, link: &dyn Fn(&Path) -> Option<PathBuf>) -> Vec<PathBuf> {
    let mut rest: VecDeque<Step> = steps(path).collect();
    let (mut here, mut passed) = (PathBuf::new(), Vec::new());
    while let Some(step) = rest.pop_front() {
        match step {
            Step::Root(root) => here = root,
            Step::Up => _ = here.pop(),
            Step::Down(name) => {
                let next = here.join(name);
                match link(&next).filter(|_| passed.len() < MOST_LINKS) {
                    Some(target) => {
                        passed.push(next);
                        steps(&target).rev().for_each(|step| rest.push_front(step));
                    }
                    None => here = next,
                }
            }
        }
    }
    passed.push(here);
    passed
}

enum Step {
    Root(PathBuf),
    Up,
    Down(OsString),
}

fn steps(path: &Path) -> impl DoubleEndedIterator<Item = Step> {
    path.components().filter_map(|part| match part {
        Component::Prefix(prefix) => Some(Step::Root(prefix.as_os_str().into())),
        Component::RootDir => Some(Step::Root(part.as_os_str().into())),
        Component::CurDir => None,
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn walk(path: &str, links: &[(&str, &str)]) -> Vec<String> {
        let link = |at: &Path| links.iter().find(|(from, _)| at == Path::new(from)).map(|(_, to)| to.into());
        way(path.as_ref(), &link).iter().map(|place| place.display().to_string()).collect()
    }

    #[test]
    fn each_link_on_the_way_is_a_place_and_the_end_is_the_last() {
        assert_eq!(walk("/srv/./a/../b", &[]), ["/srv/b"]);
        let links = [("/srv/current", "releases/7"), ("/srv/releases/7/m", "/etc/m"), ("/etc", "/mnt/etc")];
        assert_eq!(
            walk("/srv/current/m", &links),
            ["/srv/current", "/srv/releases/7/m", "/etc", "/mnt/etc/m"]
        );
        // What follows a link is seen from its target.
        assert_eq!(walk("/srv/current/../x", &links), ["/srv/current", "/srv/releases/x"]);
    }

    #[test]
    fn a_loop_ends() {
        assert_eq!(walk("/a/x", &[("/a", "/b"), ("/b", "/a")]).len(), MOST_LINKS + 1);
    }
}
