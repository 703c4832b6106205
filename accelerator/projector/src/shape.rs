//! Shapes: what goes out of documents. Their meaning is in `fraiseql/schema/shape.py`.

use std::collections::HashSet;
use std::fmt;

use crate::keys::Keys;
use crate::scan;

/// Nodes nest at most this deep: projection recurses on the shape, never on the document.
pub const MAX_DEPTH: usize = 128;

/// A joined value's index in its array is at most this.
pub const MAX_ELEMENTS: usize = 65_535;

/// Why a shape was refused.
#[derive(Debug, PartialEq, Eq)]
pub struct BadShape(pub String);

impl fmt::Display for BadShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for BadShape {}

/// What is made of one value.
pub struct Node {
    pub(crate) nullable: bool,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Leaf(Leaf),
    List(Box<Node>),
    Object(Box<Entries>),
    Abstract(Abstract),
    Constant(Box<[u8]>),
    /// An object, or one by its type, that stands in an array with values beside it.
    Joined(Box<Node>),
}

/// What is made of a value that is written without looking inside.
pub enum Leaf {
    /// Strings as they are, numbers and booleans in quotes.
    String,
    /// Integers of 32 bits.
    Int,
    /// Finite numbers.
    Float,
    /// `true` and `false`.
    Boolean,
    /// Numbers in quotes, strings as they are.
    Digits,
    /// Integers in quotes, strings as they are.
    Id,
    /// Timestamps as PostgreSQL prints them, to RFC 3339.
    Datetime,
    /// Strings as they are.
    Text,
    /// Any value as it is.
    Json,
    /// Known tokens, by the name each stands for.
    Enum(Names),
}

/// The tokens of an enum, sorted, each with its name in quotes.
pub struct Names(Box<[Name]>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    token: Box<[u8]>,
    quoted: Box<[u8]>,
}

/// The fields of an object, in the order in which they go out.
pub(crate) struct Entries {
    pub(crate) list: Box<[Entry]>,
    pub(crate) keys: Keys,
    /// The first entry that asks for each of the values beside the document.
    pub(crate) elements: Box<[Option<usize>]>,
}

pub(crate) struct Entry {
    /// What stands before the value: `{"name":` for the first entry, `,"name":` for the others.
    pub(crate) prefix: Prefix,
    /// The slot of its key in `Entries::keys`, or behind these of its element; None for a constant.
    pub(crate) slot: Option<usize>,
    /// The next entry with the same key.
    pub(crate) alias: Option<usize>,
    pub(crate) node: Node,
    pub(crate) response_key: Box<str>,
    pub(crate) label: Box<str>,
}

/// Bytes to be written, at hand as one block if they are few.
pub(crate) struct Prefix {
    pub(crate) bytes: Box<[u8]>,
    pub(crate) block: [u8; Prefix::BLOCK],
}

impl Prefix {
    pub(crate) const BLOCK: usize = 32;

    fn new(bytes: Box<[u8]>) -> Self {
        let mut block = [0; Self::BLOCK];
        for (slot, byte) in block.iter_mut().zip(&bytes) {
            *slot = *byte;
        }
        Self { bytes, block }
    }
}

pub(crate) struct Abstract {
    pub(crate) key: Box<[u8]>,
    pub(crate) types: Box<[(Box<[u8]>, Entries)]>,
}

impl Abstract {
    /// Returns the entries of the type whose discriminator is the string `token`, quotes included.
    pub(crate) fn entries(&self, token: &[u8]) -> Option<&Entries> {
        let found = self.types.iter().find(|(known, _)| **known == *token)?;
        Some(&found.1)
    }
}

/// Where the value of a field stands.
pub enum Key {
    /// In the document under this key, as it is spelled between the quotes.
    Member(Vec<u8>),
    /// Beside the document, at this index of the array, from 1 on.
    Element(usize),
}

/// One field of an object, before it is compiled.
pub struct Field {
    /// Where its value stands.
    pub key: Key,
    /// The key in the response.
    pub response_key: String,
    /// What messages call the field.
    pub label: String,
    /// What is made of its value.
    pub node: Node,
}

impl Node {
    /// Makes a leaf.
    #[must_use]
    pub fn leaf(nullable: bool, leaf: Leaf) -> Self {
        Self { nullable, kind: Kind::Leaf(leaf) }
    }

    /// Makes a list of `item`.
    #[must_use]
    pub fn list(nullable: bool, item: Self) -> Self {
        Self { nullable, kind: Kind::List(Box::new(item)) }
    }

    /// Makes an object.
    ///
    /// # Errors
    /// If a response key is no GraphQL name or stands twice, or a key is illegal in a JSON string.
    pub fn object(nullable: bool, fields: Vec<Field>) -> Result<Self, BadShape> {
        Ok(Self { nullable, kind: Kind::Object(Box::new(Entries::new(fields, None)?)) })
    }

    /// Makes an object whose fields depend on the string under `key`.
    ///
    /// # Errors
    /// As [`Node::object`], or if a value is illegal in a JSON string or stands twice.
    pub fn by_type(
        nullable: bool,
        key: Vec<u8>,
        types: Vec<(Vec<u8>, Vec<Field>)>,
    ) -> Result<Self, BadShape> {
        quoted(&key)?;
        let mut known: Vec<(Box<[u8]>, Entries)> = Vec::with_capacity(types.len());
        for (value, fields) in types {
            let token = quoted(&value)?;
            if known.iter().any(|(other, _)| *other == token) {
                return Err(BadShape(format!("the type {} stands twice", shown(&value))));
            }
            known.push((token, Entries::new(fields, Some(&key))?));
        }
        let types = known.into_boxed_slice();
        Ok(Self { nullable, kind: Kind::Abstract(Abstract { key: key.into(), types }) })
    }

    /// Makes an object that stands in an array with values beside it, at which its fields may look.
    ///
    /// # Errors
    /// If `inner` is no object.
    pub fn joined(inner: Self) -> Result<Self, BadShape> {
        match inner.kind {
            Kind::Object(_) | Kind::Abstract(_) => {
                Ok(Self { nullable: inner.nullable, kind: Kind::Joined(Box::new(inner)) })
            }
            _ => Err(BadShape("only objects are joined".into())),
        }
    }

    /// Makes what is always `json`.
    ///
    /// # Errors
    /// If `json` is not JSON.
    pub fn constant(json: Vec<u8>) -> Result<Self, BadShape> {
        if scan::text(&json).is_err() {
            return Err(BadShape(format!("a constant is JSON, not {}", shown(&json))));
        }
        Ok(Self { nullable: true, kind: Kind::Constant(json.into()) })
    }
}

impl Names {
    /// Makes the names of an enum from pairs of token and name.
    ///
    /// # Errors
    /// If a token is no JSON scalar or stands twice, or a name is no GraphQL name.
    pub fn new(pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Result<Self, BadShape> {
        let mut names = Vec::with_capacity(pairs.len());
        for (token, name) in pairs {
            let starts = matches!(scan::byte(&token, 0), b'"' | b'-' | b'0'..=b'9' | b't' | b'f');
            if !starts || scan::value(&token, 0) != Ok(token.len()) {
                let token = shown(&token);
                return Err(BadShape(format!("an enum token is a JSON scalar, not {token}")));
            }
            if !is_name(&name) {
                return Err(BadShape(format!("not a GraphQL name: {}", shown(&name))));
            }
            names.push(Name { token: token.into(), quoted: quoted(&name)? });
        }
        names.sort();
        for pair in names.windows(2) {
            if let [one, next] = pair
                && one.token == next.token
            {
                return Err(BadShape(format!("the token {} stands twice", shown(&one.token))));
            }
        }
        Ok(Self(names.into()))
    }

    /// Returns the name `token` stands for, in quotes.
    pub(crate) fn get(&self, token: &[u8]) -> Option<&[u8]> {
        let found = self.0.binary_search_by(|name| (*name.token).cmp(token)).ok()?;
        self.0.get(found).map(|name| &*name.quoted)
    }
}

impl Entries {
    /// Compiles `fields`; `discriminator` is a key that has a slot even if no field asks for it.
    fn new(fields: Vec<Field>, discriminator: Option<&[u8]>) -> Result<Self, BadShape> {
        let mut seen = HashSet::new();
        let mut wanted = Vec::with_capacity(fields.len() + 1);
        let mut size = 0;
        for field in &fields {
            if !is_name(field.response_key.as_bytes()) {
                let name = shown(field.response_key.as_bytes());
                return Err(BadShape(format!("not a GraphQL name: {name}")));
            }
            if !seen.insert(field.response_key.as_str()) {
                return Err(BadShape(format!("{} stands twice", field.response_key)));
            }
            match &field.key {
                Key::Member(key) => {
                    quoted(key)?;
                    if !matches!(field.node.kind, Kind::Constant(_)) {
                        wanted.push(key.clone());
                    }
                }
                Key::Element(index @ 1..=MAX_ELEMENTS) => size = size.max(*index),
                Key::Element(index) => {
                    let message = format!("an index is from 1 to {MAX_ELEMENTS}, not {index}");
                    return Err(BadShape(message));
                }
            }
        }
        wanted.extend(discriminator.map(<[u8]>::to_vec));
        let mut keys = Keys::new(wanted);
        let mut elements = vec![None; size];
        let mut list: Vec<Entry> = Vec::with_capacity(fields.len());
        for field in fields {
            list.push(Entry::new(field, list.len(), &keys));
        }
        for at in (0..list.len()).rev() {
            let Some(entry) = list.get_mut(at) else {
                continue;
            };
            let Some(slot) = entry.slot else {
                continue;
            };
            entry.alias = match slot.checked_sub(keys.len()) {
                None => keys.set_entry(slot, at),
                Some(element) => elements.get_mut(element).and_then(|first| first.replace(at)),
            };
        }
        Ok(Self { list: list.into(), keys, elements: elements.into() })
    }
}

impl Entry {
    fn new(field: Field, at: usize, keys: &Keys) -> Self {
        let before = if at == 0 { '{' } else { ',' };
        let prefix = format!("{before}\"{}\":", field.response_key).into_bytes();
        let slot = match (&field.node.kind, &field.key) {
            (Kind::Constant(_), _) => None,
            (_, Key::Member(key)) => keys.find(key, 0, key.len()),
            (_, Key::Element(index)) => Some(keys.len() + index - 1),
        };
        Self {
            prefix: Prefix::new(prefix.into()),
            slot,
            alias: None,
            node: field.node,
            response_key: field.response_key.into(),
            label: field.label.into(),
        }
    }
}

fn quoted(content: &[u8]) -> Result<Box<[u8]>, BadShape> {
    let token = [b"\"", content, b"\""].concat();
    if scan::string(&token, 1) == Ok(token.len()) {
        Ok(token.into())
    } else {
        Err(BadShape(format!("not legal between JSON quotes: {}", shown(content))))
    }
}

fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(|first| !first.is_ascii_digit())
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().take(100).map(char::from).collect()
}
