//! Section `reload`.

use crate::{options::Options, report::Report};

pub(crate) fn run(_: &mut Report, _: &Options) {}
