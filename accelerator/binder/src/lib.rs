//! Binds the variables in a GraphQL request's body to the parameters of a statement.
//!
//! A [`Body`] is what a request says, a [`Form`] what its variables look like if a statement that is
//! known already answers it. Whatever is unusual is None, and `fraiseql/engine/document` looks at it: a
//! body that fits a form is bound as it would bind it, to the byte.

#![forbid(unsafe_code)]

mod body;
mod form;
#[cfg(test)]
mod tests;

pub use body::{Body, Json};
pub use form::{Form, Parameters, Target, Way};
