//! Bytes as lower-case hexadecimal digits.

use std::fmt::Write as _;

/// Writes bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads 32 bytes: a digest. `None` when the text is none.
pub(crate) fn decode(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_comes_back_and_other_text_does_not() {
        let mut bytes = [0; 32];
        (bytes[0], bytes[31]) = (0xab, 0x07);
        let text = encode(&bytes);
        assert!(text.starts_with("ab00") && text.ends_with("07"), "{text}");
        assert_eq!(decode(&text), Some(bytes));
        assert_eq!(decode(&text[1..]), None);
        assert_eq!(decode(&"zz".repeat(32)), None);
        assert_eq!(decode(&"é".repeat(32)), None);
    }
}
