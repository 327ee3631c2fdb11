//! The form of one entry: a header, what vouches for it, and the code. Pure.

use std::time::Duration;

use clockbox_core::model::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Key;

/// The name and the version of this form.
const MAGIC: &[u8; 8] = b"cbxcode\x01";
/// The header without what vouches for it: magic, digest, compatibility, kind, when, how long, length of the code.
const HEADER: usize = 8 + 32 + 32 + 1 + 8 + 8 + 8;
/// The length of what vouches for header and code: an HMAC-SHA256.
const MAC: usize = 32;
/// In the place of a time that is not known.
const UNKNOWN: i64 = i64::MIN;

/// Which code an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// The SHA-256 of the plugin's file.
    pub(crate) digest: [u8; 32],
    /// What stands for the engine: its version, its settings and the machine's processor.
    pub(crate) compatibility: [u8; 32],
    /// Whether it is a component (else a core module).
    pub(crate) component: bool,
}

/// When code was compiled, and how long that took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compilation {
    /// When it was done; `None` when the sandbox that did it had no clock.
    pub at: Option<Timestamp>,
    /// How long it took; `None` for the same reason.
    pub took: Option<Duration>,
}

/// Puts an entry together.
pub(super) fn encode(name: &Name, compilation: Compilation, code: &[u8], key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + MAC + code.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&name.digest);
    bytes.extend_from_slice(&name.compatibility);
    bytes.push(u8::from(name.component));
    let at = compilation.at.map_or(UNKNOWN, |at| at.timestamp_micros());
    let took = compilation.took.map_or(UNKNOWN, |took| i64::try_from(took.as_micros()).unwrap_or(i64::MAX));
    bytes.extend_from_slice(&at.to_le_bytes());
    bytes.extend_from_slice(&took.to_le_bytes());
    bytes.extend_from_slice(&(code.len() as u64).to_le_bytes());
    let mac = mac(&bytes, code, key).finalize().into_bytes();
    bytes.extend_from_slice(&mac);
    bytes.extend_from_slice(code);
    bytes
}

/// Where the code begins in an entry that is whole, that this key vouches for, and that has this name; else why not.
pub(super) fn verify(bytes: &[u8], name: &Name, key: &Key) -> Result<(usize, Compilation), &'static str> {
    let (Some(header), Some(found), Some(code)) =
        (bytes.get(..HEADER), bytes.get(HEADER..HEADER + MAC), bytes.get(HEADER + MAC..))
    else {
        return Err("it is cut short");
    };
    if !header.starts_with(MAGIC) {
        return Err("it has another form");
    }
    // Compared in constant time, and before anything else in it is believed.
    mac(header, code, key).verify_slice(found).map_err(|_| "nothing vouches for it")?;
    let mut rest = &header[MAGIC.len()..];
    let (digest, compatibility) = (take::<32>(&mut rest), take::<32>(&mut rest));
    let component = take::<1>(&mut rest) == [1];
    if (Name { digest, compatibility, component }) != *name {
        return Err("it belongs to another plugin or engine");
    }
    let (at, took) = (i64::from_le_bytes(take(&mut rest)), i64::from_le_bytes(take(&mut rest)));
    if u64::from_le_bytes(take(&mut rest)) != code.len() as u64 {
        return Err("its length is wrong");
    }
    let at = (at != UNKNOWN).then(|| Timestamp::from_timestamp_micros(at)).flatten();
    let took = u64::try_from(took).ok().map(Duration::from_micros);
    Ok((HEADER + MAC, Compilation { at, took }))
}

fn mac(header: &[u8], code: &[u8], key: &Key) -> Hmac<Sha256> {
    // HMAC fills a key up to the length of the hash's block with zeros.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key.bytes());
    Hmac::<Sha256>::new(&block.into()).chain_update(header).chain_update(code)
}

/// The first `N` bytes of what is left; the header's length is known to be enough.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let (head, tail) = rest.split_at(N.min(rest.len()));
    out[..head.len()].copy_from_slice(head);
    *rest = tail;
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Name = Name { digest: [1; 32], compatibility: [2; 32], component: true };

    fn entry(key: &Key) -> Vec<u8> {
        let at = "2030-01-01T12:00:00Z".parse().ok();
        encode(&NAME, Compilation { at, took: Some(Duration::from_millis(1_500)) }, b"native code", key)
    }

    #[test]
    fn an_entry_comes_back_as_it_was_written() {
        let key = Key::of([7; 32]);
        let bytes = entry(&key);
        let (start, compilation) = verify(&bytes, &NAME, &key).unwrap();
        assert_eq!(&bytes[start..], b"native code");
        assert_eq!(compilation.at, "2030-01-01T12:00:00Z".parse().ok());
        assert_eq!(compilation.took, Some(Duration::from_millis(1_500)));
        let untimed = encode(&NAME, Compilation::default(), b"", &key);
        assert_eq!(verify(&untimed, &NAME, &key).unwrap().1, Compilation::default());
    }

    #[test]
    fn no_bit_of_an_entry_can_be_changed_and_no_byte_be_missing() {
        let key = Key::of([7; 32]);
        let whole = entry(&key);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            assert!(verify(&changed, &NAME, &key).is_err(), "byte {at}");
            assert!(verify(&whole[..at], &NAME, &key).is_err(), "cut at {at}");
        }
        let longer = [&whole[..], b"x"].concat();
        assert!(verify(&longer, &NAME, &key).is_err());
    }

    #[test]
    fn an_entry_is_of_use_under_its_own_name_and_key_alone() {
        let key = Key::of([7; 32]);
        let bytes = entry(&key);
        assert_eq!(verify(&bytes, &NAME, &Key::of([8; 32])), Err("nothing vouches for it"));
        for other in [
            Name { digest: [9; 32], ..NAME },
            Name { compatibility: [9; 32], ..NAME },
            Name { component: false, ..NAME },
        ] {
            assert_eq!(verify(&bytes, &other, &key), Err("it belongs to another plugin or engine"));
        }
    }
}
