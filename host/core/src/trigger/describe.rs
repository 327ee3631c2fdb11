//! A trigger in plain English.

use super::{plan::Plan, spec::TriggerSpec};

pub(super) fn describe(spec: &TriggerSpec, plan: &Plan) -> String {
    format!("{:?} {}", spec, plan.zone)
}
