//! What leaves make of values.

use crate::out::Out;
use crate::scan::byte;
use crate::shape::Leaf;

/// Writes what `leaf` makes of the value at `start..end`, which is legal JSON and not null.
///
/// Returns whether the leaf takes it; if not, nothing is written.
#[inline(always)]
pub(crate) fn write(leaf: &Leaf, text: &[u8], start: usize, end: usize, out: &mut Out) -> bool {
    let first = byte(text, start);
    let is_string = first == b'"';
    let is_number = matches!(first, b'-' | b'0'..=b'9');
    match leaf {
        Leaf::String | Leaf::Text | Leaf::Digits | Leaf::Id if is_string => {
            out.put_span(text, start, end);
        }
        Leaf::String if !matches!(first, b'{' | b'[') => quoted(text, start, end, out),
        Leaf::Digits if is_number => quoted(text, start, end, out),
        Leaf::Id if is_number && is_plain(text, start, end) => quoted(text, start, end, out),
        Leaf::Int if is_number => return int(text, start, end, out),
        Leaf::Float if is_number && is_finite(token(text, start, end)) => {
            out.put_span(text, start, end);
        }
        Leaf::Boolean if matches!(first, b't' | b'f') => out.put_span(text, start, end),
        Leaf::Datetime if is_string => return datetime(token(text, start, end), out),
        Leaf::Json => out.put_span(text, start, end),
        Leaf::Enum(names) => match names.get(token(text, start, end)) {
            Some(name) => out.put_all(name),
            None => return false,
        },
        _ => return false,
    }
    true
}

#[inline(always)]
fn token(text: &[u8], start: usize, end: usize) -> &[u8] {
    text.get(start..end).unwrap_or_default()
}

#[inline(always)]
fn quoted(text: &[u8], start: usize, end: usize, out: &mut Out) {
    out.push(b'"');
    out.put_span(text, start, end);
    out.push(b'"');
}

/// Returns whether a number has neither fraction nor exponent.
#[inline(always)]
fn is_plain(text: &[u8], start: usize, end: usize) -> bool {
    !token(text, start, end).iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

#[inline(always)]
fn int(text: &[u8], start: usize, end: usize, out: &mut Out) -> bool {
    // Nine digits fit; -0 does not get here, being normalised below.
    if end - start <= 9 && byte(text, start) != b'-' && is_plain(text, start, end) {
        out.put_span(text, start, end);
        return true;
    }
    let Some(value) = Decimal::new(token(text, start, end)).integer() else {
        return false;
    };
    out.put_all(value.to_string().as_bytes());
    true
}

/// Returns whether a number is finite as an IEEE double.
#[inline(always)]
fn is_finite(token: &[u8]) -> bool {
    // 1e308 has 309 digits before its point, and the largest double is 1.8e308.
    token.len() < 309 && !token.iter().any(|byte| matches!(byte, b'e' | b'E'))
        || Decimal::new(token).is_finite()
}

/// A number in JSON, taken apart: 0.d₁d₂d₃… × 10^magnitude.
struct Decimal<'a> {
    is_negative: bool,
    /// Digits before and after the point, without zeros at the outer ends.
    whole: &'a [u8],
    fraction: &'a [u8],
    magnitude: i64,
}

impl<'a> Decimal<'a> {
    fn new(token: &'a [u8]) -> Self {
        let (is_negative, token) = match token {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, token),
        };
        let (mantissa, exponent) = split(token, |byte| matches!(byte, b'e' | b'E'));
        let (whole, fraction) = split(mantissa, |byte| byte == b'.');
        let whole = trim_start(whole);
        let mut number = Self {
            is_negative,
            whole,
            fraction: trim_end(fraction),
            magnitude: saturating(whole.len()).saturating_add(power(exponent)),
        };
        if number.whole.is_empty() {
            let significant = trim_start(number.fraction);
            let zeros = number.fraction.len() - significant.len();
            number.magnitude = number.magnitude.saturating_sub(saturating(zeros));
            number.fraction = significant;
        }
        if number.fraction.is_empty() {
            number.whole = trim_end(number.whole);
        }
        number
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }

    fn count(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    /// Returns the exact value if it is an integer of 32 bits.
    fn integer(&self) -> Option<i32> {
        if self.count() == 0 {
            return Some(0);
        }
        if self.magnitude > 10 || self.magnitude < saturating(self.count()) {
            return None;
        }
        let digits = self.digits().chain(std::iter::repeat(b'0'));
        let digits = digits.take(usize::try_from(self.magnitude).ok()?);
        let value = digits.fold(0, |value: i64, digit| 10 * value + i64::from(digit - b'0'));
        i32::try_from(if self.is_negative { -value } else { value }).ok()
    }

    fn is_finite(&self) -> bool {
        if self.count() == 0 || self.magnitude < 309 {
            return true;
        }
        if self.magnitude > 309 {
            return false;
        }
        // What lies behind as many digits as the limit has cannot take a number below it.
        let digits: String = self.digits().take(309).map(char::from).collect();
        format!("0.{digits}e309").parse::<f64>().is_ok_and(f64::is_finite)
    }
}

/// Splits at the first byte that is `separator`, which is left out.
fn split(token: &[u8], separator: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let at = token.iter().position(|byte| separator(*byte)).unwrap_or(token.len());
    let (before, after) = token.split_at(at);
    (before, after.get(1..).unwrap_or_default())
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    digits.get(..digits.len() - zeros).unwrap_or_default()
}

fn saturating(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

/// Returns the value of an exponent; no text is long enough for more than 18 digits to matter.
fn power(exponent: &[u8]) -> i64 {
    let (is_negative, digits) = match exponent {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let digits = trim_start(digits);
    let value = if digits.len() > 18 {
        i64::MAX / 2
    } else {
        digits.iter().fold(0, |value, digit| 10 * value + i64::from(digit - b'0'))
    };
    if is_negative { -value } else { value }
}

/// Writes a timestamp as RFC 3339 has it.
fn datetime(token: &[u8], out: &mut Out) -> bool {
    let Some((stamp, rest)) = token.split_first_chunk::<20>() else {
        return false;
    };
    // The opening quote, then the fixed part; the separator is T or a space.
    const FORM: &[u8; 20] = b"\"dddd-dd-ddTdd:dd:dd";
    let fits = stamp.iter().zip(FORM).all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b' '),
        _ => byte == form,
    });
    let Some((fraction, offset)) = rest.split_at_checked(fraction(rest)) else {
        return false;
    };
    let Some(offset) = offset_of(offset) else {
        return false;
    };
    if !fits || fraction == b"." {
        return false;
    }
    let mut stamp = *stamp;
    if let Some(separator) = stamp.get_mut(11) {
        *separator = b'T';
    }
    out.put(&stamp);
    out.put_all(fraction);
    match offset {
        Some(offset) => out.put(&offset),
        None => out.put(b"Z\""),
    }
    true
}

/// Returns the offset as RFC 3339 has it, with the closing quote; Some(None) is Z.
fn offset_of(printed: &[u8]) -> Option<Option<[u8; 7]>> {
    let (sign, [h, i], [m, n]) = match *printed {
        [b'"'] => (b'+', [b'0', b'0'], [b'0', b'0']),
        [b'Z', b'"'] => return Some(None),
        [sign, h, i, b'"'] => (sign, [h, i], [b'0', b'0']),
        [sign, h, i, m, n, b'"'] | [sign, h, i, b':', m, n, b'"'] => (sign, [h, i], [m, n]),
        _ => return None,
    };
    let is_offset = matches!(sign, b'+' | b'-') && [h, i, m, n].iter().all(u8::is_ascii_digit);
    is_offset.then_some(Some([sign, h, i, b':', m, n, b'"']))
}

/// Returns the length of a leading point and the digits behind it.
fn fraction(rest: &[u8]) -> usize {
    if rest.first() != Some(&b'.') {
        return 0;
    }
    1 + rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count()
}
