//! Attacks with words: floods, and texts that are more than text.

use clockbox_core::model::Outcome;

use crate::attack::Attack;

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("stdout-flood", "flood", "prints 16,384 lines")
            .ends(Outcome::Succeeded, &["log limit of 8.0 KiB reached", "limits.log"]),
        Attack::new(
            "log-flood",
            "hostile/log-flood",
            "logs 8 MiB of control characters with a thousand fields, a hundred times",
        )
        .ends(Outcome::Succeeded, &["log limit of 8.0 KiB reached", "limits.log"]),
        Attack::new("progress-flood", "hostile/progress-flood", "reports progress with notes of 8 MiB")
            .ends(Outcome::Succeeded, &[]),
        Attack::new("output-flood", "hostile/output-flood", "answers with 8 MiB of output")
            .ends(Outcome::Failed, &["64.0 KiB", "limits.output"]),
        Attack::new(
            "error-flood",
            "hostile/error-flood",
            "fails with 8 MiB of control characters and wants another attempt in half a billion years",
        )
        .ends(Outcome::Failed, &[]),
        Attack::new("escapes", "hostile/escapes", "prints terminal escapes, forged lines and broken UTF-8")
            .ends(Outcome::Failed, &["exit code 7"]),
    ]
}
