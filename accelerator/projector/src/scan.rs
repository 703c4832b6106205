//! Finding the end of JSON values in bytes, strictly, without decoding them.
//!
//! Each function takes the text and the offset at which to begin and returns the offset after what it
//! read. It fails with the offset of the first byte with which the text is no longer the beginning of
//! any JSON text; the text's length, if it ends too early. Nothing recurses.

use wide::u8x16;

/// An offset, or the offset at which the text stops being JSON.
pub(crate) type Scan = Result<usize, usize>;

/// Returns the byte at `at`; 0, which is nowhere legal, after the end.
#[inline(always)]
pub(crate) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// Skips white space.
#[inline(always)]
pub(crate) fn space(text: &[u8], mut at: usize) -> usize {
    while matches!(byte(text, at), b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

/// Checks that the whole text is one JSON value with white space around it.
pub(crate) fn text(text: &[u8]) -> Result<(), usize> {
    let end = space(text, value(text, space(text, 0))?);
    if end == text.len() { Ok(()) } else { Err(end) }
}

/// Reads any value.
#[inline]
pub(crate) fn value(text: &[u8], at: usize) -> Scan {
    match byte(text, at) {
        b'"' => string(text, at + 1),
        b'{' | b'[' => container(text, at),
        b'-' | b'0'..=b'9' => number(text, at),
        b't' => word(text, at, b"true"),
        b'f' => word(text, at, b"false"),
        b'n' => word(text, at, b"null"),
        _ => Err(at),
    }
}

/// Reads a string from behind its opening quote.
#[inline(always)]
pub(crate) fn string(text: &[u8], mut at: usize) -> Scan {
    loop {
        at = plain(text, at);
        match byte(text, at) {
            b'"' => return Ok(at + 1),
            b'\\' => at = escape(text, at + 1)?,
            _ => return Err(at),
        }
    }
}

/// Skips to the next byte that is a quote, a backslash or a control character, or to the end.
#[inline(always)]
fn plain(text: &[u8], mut at: usize) -> usize {
    while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let block = u8x16::from(*block);
        let control = u8x16::splat(0x1f);
        let stops = block.simd_eq(u8x16::splat(b'"'))
            | block.simd_eq(u8x16::splat(b'\\'))
            | block.min(control).simd_eq(block);
        let stops = stops.to_bitmask();
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += 16;
    }
    while !matches!(byte(text, at), b'"' | b'\\' | 0..=0x1f) {
        at += 1;
    }
    at
}

fn escape(text: &[u8], at: usize) -> Scan {
    match byte(text, at) {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 1),
        b'u' => {
            for digit in at + 1..at + 5 {
                if !byte(text, digit).is_ascii_hexdigit() {
                    return Err(digit);
                }
            }
            Ok(at + 5)
        }
        _ => Err(at),
    }
}

/// Reads a number.
#[inline(always)]
pub(crate) fn number(text: &[u8], mut at: usize) -> Scan {
    at += usize::from(byte(text, at) == b'-');
    at = match byte(text, at) {
        b'0' => at + 1,
        b'1'..=b'9' => some_digits(text, at),
        _ => return Err(at),
    };
    if byte(text, at) == b'.' {
        at = digits(text, at + 1)?;
    }
    if matches!(byte(text, at), b'e' | b'E') {
        at += 1;
        at += usize::from(matches!(byte(text, at), b'+' | b'-'));
        at = digits(text, at)?;
    }
    Ok(at)
}

fn digits(text: &[u8], at: usize) -> Scan {
    let end = some_digits(text, at);
    if end == at { Err(at) } else { Ok(end) }
}

#[inline(always)]
fn some_digits(text: &[u8], mut at: usize) -> usize {
    while byte(text, at).is_ascii_digit() {
        at += 1;
    }
    at
}

/// Reads `expected`, whose first byte is already known to stand there.
#[inline(always)]
pub(crate) fn word<const N: usize>(text: &[u8], at: usize, expected: &[u8; N]) -> Scan {
    if text.get(at..).and_then(<[u8]>::first_chunk::<N>) == Some(expected) {
        return Ok(at + N);
    }
    let same = expected.iter().zip(at..).take_while(|&(&expected, at)| byte(text, at) == expected);
    Err(at + same.count())
}

/// Reads a member's key, of which the opening quote stands at `at`, up to the value.
///
/// Returns the offset of the closing quote and that of the value.
#[inline(always)]
pub(crate) fn key(text: &[u8], at: usize) -> Result<(usize, usize), usize> {
    if byte(text, at) != b'"' {
        return Err(at);
    }
    let end = string(text, at + 1)?;
    let colon = space(text, end);
    if byte(text, colon) != b':' {
        return Err(colon);
    }
    Ok((end - 1, space(text, colon + 1)))
}

/// Reads an object or array.
fn container(text: &[u8], mut at: usize) -> Scan {
    let mut open = Open::default();
    loop {
        // A value stands at `at`.
        match byte(text, at) {
            b'{' => {
                at = space(text, at + 1);
                if byte(text, at) != b'}' {
                    open.push(true);
                    at = key(text, at)?.1;
                    continue;
                }
                at += 1;
            }
            b'[' => {
                at = space(text, at + 1);
                if byte(text, at) != b']' {
                    open.push(false);
                    continue;
                }
                at += 1;
            }
            b'"' => at = string(text, at + 1)?,
            b'-' | b'0'..=b'9' => at = number(text, at)?,
            b't' => at = word(text, at, b"true")?,
            b'f' => at = word(text, at, b"false")?,
            b'n' => at = word(text, at, b"null")?,
            _ => return Err(at),
        }
        // A value has ended.
        loop {
            let Some(in_object) = open.innermost() else {
                return Ok(at);
            };
            at = space(text, at);
            match byte(text, at) {
                b',' => {
                    at = space(text, at + 1);
                    if in_object {
                        at = key(text, at)?.1;
                    }
                    break;
                }
                b'}' if in_object => open.pop(),
                b']' if !in_object => open.pop(),
                _ => return Err(at),
            }
            at += 1;
        }
    }
}

/// The open containers, one bit each: 1 for an object. Grows on the heap every 64 levels.
#[derive(Default)]
struct Open {
    depth: usize,
    bits: u64,
    outer: Vec<u64>,
}

impl Open {
    #[inline]
    fn push(&mut self, is_object: bool) {
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(is_object);
        self.depth += 1;
    }

    #[inline]
    fn pop(&mut self) {
        self.bits >>= 1;
        self.depth -= 1;
        if self.depth.is_multiple_of(64) {
            self.bits = self.outer.pop().unwrap_or(0);
        }
    }

    #[inline]
    fn innermost(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.bits & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> Option<usize> {
        text(json.as_bytes()).err()
    }

    #[test]
    fn legal_texts_are_read_to_their_end() {
        for json in [
            "0",
            "-0.5e+10",
            " [ ] ",
            "{}",
            r#"{"a": [1, {"b": null}], "c": {"d": [true, false, "x\u00e9\\\""]}}"#,
            "\"a string that is longer than one block of sixteen bytes\"",
        ] {
            assert_eq!(fault(json), None, "{json}");
        }
    }

    #[test]
    fn the_fault_is_the_first_byte_that_cannot_continue() {
        for (json, at) in [
            ("", 0),
            (" ", 1),
            ("01", 1),
            ("-", 1),
            ("1.", 2),
            ("1.e5", 2),
            ("1.5e+", 5),
            ("1.5.2", 3),
            ("tru3", 3),
            ("truex", 4),
            ("\"a\"1", 3),
            (r#""\x""#, 2),
            (r#""\u12g4""#, 5),
            ("\"\u{1}\"", 1),
            (r#"{"a" 1}"#, 5),
            (r#"{"a":1,}"#, 7),
            ("[1,]", 3),
            ("[1}", 2),
            ("[[1]", 4),
            (r#"{"a":1}}"#, 7),
        ] {
            assert_eq!(fault(json), Some(at), "{json}");
        }
    }

    #[test]
    fn brackets_match_beyond_64_levels() {
        for depth in [63, 64, 65, 127, 128, 129, 100_000] {
            let open = "[{\"a\":".repeat(depth);
            let close = "}]".repeat(depth);
            assert_eq!(fault(&format!("{open}1{close}")), None);

            let wrong = "]}".repeat(depth);
            assert_eq!(fault(&format!("{open}1{wrong}")), Some(open.len() + 1));
        }
    }
}
