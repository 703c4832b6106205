//! Reading a body: strictly, and only as far as every reader of JSON agrees on what it says.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Members of a larger object are not compared with each other.
const MAX_MEMBERS: usize = 64;

/// Larger bodies are mostly data: what is saved on them is little, and their values would be held twice.
const MAX_BYTES: usize = 1 << 16;

/// A member's name and its value.
pub type Member<'b> = (Cow<'b, str>, Json<'b>);

/// What a body asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Body<'b> {
    /// The document, as it is spelled: with its quotes and escapes.
    pub query: &'b str,
    /// The operation's name, spelled like that.
    pub name: Option<&'b str>,
    /// The variables.
    pub variables: Json<'b>,
}

/// A JSON value. Strings are borrowed where they have no escapes.
#[derive(Debug, PartialEq, Eq)]
pub enum Json<'b> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number that is a plain integer of 64 bits.
    Integer(i64),
    /// Any other number.
    Number,
    /// A string.
    Text(Cow<'b, str>),
    /// An array.
    Array(Vec<Json<'b>>),
    /// An object, no name in which stands twice.
    Object(Vec<Member<'b>>),
}

impl<'b> Body<'b> {
    /// Reads a body that asks for one operation by its text.
    #[must_use]
    pub fn read(body: &'b [u8]) -> Option<Self> {
        if body.len() > MAX_BYTES {
            return None;
        }
        serde_json::from_str(std::str::from_utf8(body).ok()?).ok()
    }
}

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Body<'de>, A::Error> {
        let (mut query, mut name, mut variables, mut extensions) = (None, None, None, None);
        while let Some(Text(key)) = members.next_key()? {
            let twice = match &*key {
                "query" => query.replace(members.next_value::<&RawValue>()?.get()).is_some(),
                "operationName" => name.replace(members.next_value::<&RawValue>()?.get()).is_some(),
                "variables" => variables.replace(members.next_value::<Json>()?).is_some(),
                "extensions" => extensions.replace(members.next_value::<Json>()?).is_some(),
                // Read all the same: it may be what makes the body no JSON.
                _ => {
                    members.next_value::<Json>()?;
                    false
                }
            };
            if twice {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        let query = query.filter(|text| text.starts_with('"'));
        let name = name.filter(|text| *text != "null");
        let variables = match variables {
            None | Some(Json::Null) => Json::Object(Vec::new()),
            Some(variables) => variables,
        };
        match query {
            Some(query)
                if name.is_none_or(|name| name.starts_with('"'))
                    && matches!(variables, Json::Object(_))
                    && !extensions.is_some_and(|extensions| is_concerned(&extensions)) =>
            {
                Ok(Body { query, name, variables })
            }
            _ => Err(A::Error::custom("not a request by its text")),
        }
    }
}

/// Tells whether extensions say more than a query's answer depends on, or are none.
fn is_concerned(extensions: &Json<'_>) -> bool {
    match extensions {
        Json::Null => false,
        Json::Object(members) => members
            .iter()
            .any(|(name, value)| name == "persistedQuery" && !matches!(value, Json::Null)),
        _ => true,
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(value).map_or(Json::Number, Json::Integer))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut object: Vec<Member<'de>> = Vec::new();
        while let Some(Text(name)) = members.next_key()? {
            if object.len() == MAX_MEMBERS || object.iter().any(|(other, _)| *other == name) {
                return Err(A::Error::custom("a name stands twice, or nobody looked"));
            }
            object.push((name, members.next_value()?));
        }
        Ok(Json::Object(object))
    }
}

/// A string that is borrowed where that can be.
struct Text<'b>(Cow<'b, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(value.to_owned())))
    }
}
