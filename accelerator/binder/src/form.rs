//! What variables look like, and how their values become parameters.

use std::borrow::Cow;

use crate::body::Json;

/// What a value has to be so that a statement serves, and where it goes.
#[derive(Debug)]
pub enum Form {
    /// Null.
    Null,
    /// This value and no other: the statement was made for it.
    Same(Json<'static>),
    /// A string.
    Text(Vec<Target>),
    /// A string or an integer.
    Id(Vec<Target>),
    /// An integer of 32 bits.
    Int(Vec<Target>),
    /// True or false.
    Boolean(Vec<Target>),
    /// A scalar, or if `list` an array of them; whoever has [`Parameters::call`] reads it, by this number.
    Call {
        /// Which of the callables.
        number: usize,
        /// Whether it takes an array.
        list: bool,
    },
    /// An object with exactly these members, in any order.
    Object(Vec<(String, Form)>),
    /// An array of exactly so many items.
    Array(Vec<Form>),
}

/// A parameter: its place, and how PostgreSQL wants the value.
#[derive(Debug)]
pub struct Target {
    /// The index of the parameter.
    pub slot: usize,
    /// How.
    pub way: Way,
}

/// What becomes of a value.
#[derive(Debug)]
pub enum Way {
    /// It stays.
    Same,
    /// It stays if it is a UUID as PostgreSQL prints it.
    Uuid,
    /// It stays if it is an integer of 32 bits as PostgreSQL prints it.
    Int32,
    /// The same with 64 bits.
    Int64,
    /// A moment of UTC, as RFC 3339 writes it, becomes what Python's `isoformat` prints.
    Instant,
    /// A pattern of LIKE: what stands before and after the text, which stands for itself.
    Like(String, String),
}

/// Takes what a form makes of variables.
pub trait Parameters {
    /// Sets a parameter.
    fn put(&mut self, slot: usize, text: &str);

    /// Has a callable set its parameters; None if it does not take the value.
    fn call(&mut self, number: usize, value: &Json<'_>) -> Option<()>;
}

impl Form {
    /// Tells whether a value has this form.
    #[must_use]
    pub fn fits(&self, value: &Json<'_>) -> bool {
        match (self, value) {
            (Self::Null, Json::Null)
            | (Self::Text(_) | Self::Id(_), Json::Text(_))
            | (Self::Id(_), Json::Integer(_))
            | (Self::Boolean(_), Json::Boolean(_)) => true,
            (Self::Int(_), Json::Integer(number)) => i32::try_from(*number).is_ok(),
            (Self::Same(expected), value) => expected == value,
            (Self::Call { list: false, .. }, value) => is_scalar(value),
            (Self::Call { list: true, .. }, Json::Array(items)) => items.iter().all(is_scalar),
            (Self::Object(fields), Json::Object(members)) => {
                fields.len() == members.len()
                    && fields.iter().all(|(name, form)| {
                        member(members, name).is_some_and(|value| form.fits(value))
                    })
            }
            (Self::Array(forms), Json::Array(items)) => {
                forms.len() == items.len()
                    && forms.iter().zip(items).all(|(form, item)| form.fits(item))
            }
            _ => false,
        }
    }

    /// Puts a value that fits into `parameters`; None if it has to be looked at more closely.
    pub fn fill(&self, value: &Json<'_>, parameters: &mut impl Parameters) -> Option<()> {
        match (self, value) {
            (Self::Text(targets) | Self::Id(targets), Json::Text(text)) => {
                put(targets, text, parameters)
            }
            (Self::Id(targets) | Self::Int(targets), Json::Integer(number)) => {
                put(targets, &number.to_string(), parameters)
            }
            (Self::Boolean(targets), Json::Boolean(value)) => {
                put(targets, if *value { "true" } else { "false" }, parameters)
            }
            (Self::Call { number, .. }, value) => parameters.call(*number, value),
            (Self::Object(fields), Json::Object(members)) => fields
                .iter()
                .try_for_each(|(name, form)| form.fill(member(members, name)?, parameters)),
            (Self::Array(forms), Json::Array(items)) => {
                forms.iter().zip(items).try_for_each(|(form, item)| form.fill(item, parameters))
            }
            _ => Some(()),
        }
    }
}

fn is_scalar(value: &Json<'_>) -> bool {
    matches!(value, Json::Boolean(_) | Json::Integer(_) | Json::Text(_))
}

fn member<'v, 'b>(members: &'v [(Cow<'b, str>, Json<'b>)], name: &str) -> Option<&'v Json<'b>> {
    members.iter().find(|(other, _)| other == name).map(|(_, value)| value)
}

fn put(targets: &[Target], text: &str, parameters: &mut impl Parameters) -> Option<()> {
    if text.contains('\0') {
        return None; // PostgreSQL has no such text.
    }
    for target in targets {
        let stays = match &target.way {
            Way::Same => true,
            Way::Uuid => is_uuid(text.as_bytes()),
            Way::Int32 => text.parse::<i32>().is_ok_and(|number| number.to_string() == text),
            Way::Int64 => text.parse::<i64>().is_ok_and(|number| number.to_string() == text),
            Way::Instant => {
                parameters.put(target.slot, &instant(text)?);
                continue;
            }
            Way::Like(before, after) => {
                parameters.put(target.slot, &pattern(before, text, after));
                continue;
            }
        };
        if !stays {
            return None;
        }
        parameters.put(target.slot, text);
    }
    Some(())
}

fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Reads `2024-01-31T12:00:00`, perhaps with milliseconds or microseconds, and `Z` or `+00:00`.
fn instant(text: &str) -> Option<String> {
    let (moment, rest) = text.split_at_checked(19)?;
    let rest = rest.strip_suffix("Z").or_else(|| rest.strip_suffix("+00:00"))?;
    let is_written = moment.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let number = |start, end| moment.get(start..end).and_then(|digits| digits.parse::<u32>().ok());
    let (year, month) = (number(0, 4)?, number(5, 7)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let exists = year > 0
        && (1..=days).contains(&number(8, 10)?)
        && number(11, 13)? < 24
        && number(14, 16)? < 60
        && number(17, 19)? < 60;
    let fraction = match rest.strip_prefix('.') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.len() {
            3 => format!(".{digits}000"),
            6 => rest.to_owned(),
            _ => return None,
        },
        None if rest.is_empty() => String::new(),
        _ => return None,
    };
    let fraction = if fraction == ".000000" { "" } else { &fraction };
    (is_written && exists).then(|| format!("{moment}{fraction}+00:00"))
}

fn pattern(before: &str, text: &str, after: &str) -> String {
    let mut pattern = String::with_capacity(before.len() + text.len() + after.len());
    pattern.push_str(before);
    for letter in text.chars() {
        if matches!(letter, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push_str(after);
    pattern
}
