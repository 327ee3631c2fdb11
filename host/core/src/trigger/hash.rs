//! Numbers that look random and are the same each time: for jitter and for `H` in crontab strings.

/// A seed from a name, such as a job's id: the same on every machine and in every version.
///
/// ```
/// use clockbox_core::trigger::seed_of;
/// assert_eq!(seed_of("report"), seed_of("report"));
/// assert_ne!(seed_of("report"), seed_of("reports"));
/// ```
#[must_use]
pub fn seed_of(name: &str) -> u64 {
    // FNV-1a; stored fire times depend on it, so it must never change, which the standard hasher does not promise.
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Mixes a seed with a number (the finaliser of SplitMix64).
pub(super) fn mix(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// One of `count` numbers from 0, chosen by the seed for a purpose; 0 when there is nothing to choose from.
pub(super) fn pick(seed: u64, purpose: u64, count: u32) -> u32 {
    u32::try_from(mix(seed, purpose) % u64::from(count.max(1))).unwrap_or(0)
}
