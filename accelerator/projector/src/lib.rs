//! Projects JSON documents, bytes to bytes, by a compiled [`Shape`].
//!
//! What a shape means is written in `fraiseql/schema/shape.py`; `engine/result/reference.py` is the
//! same in Python, and one test suite holds both. No tree is built: a row is walked once, writing what
//! is asked for on the way (`quick`). A row in which anything is amiss is walked again by the letter
//! (`exact`), which finds the errors in their order, or the fault.

#![forbid(unsafe_code)]

mod exact;
mod keys;
mod leaf;
mod out;
mod quick;
mod scan;
mod shape;
#[cfg(test)]
mod tests;

use out::Out;
use shape::Kind;
pub use shape::{BadShape, Field, Key, Leaf, MAX_DEPTH, MAX_ELEMENTS, Names, Node};

/// As many errors are kept of one call.
pub const MAX_ERRORS: usize = 100;

/// Capacity beyond which the output grows only when it has to.
const FIRST_CAPACITY: usize = 1 << 16;

/// Why a value, or the nearest nullable one around it, went out as null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Null, or nothing, where something must be.
    Null = 0,
    /// A value the node does not take.
    WrongType = 1,
    /// A discriminator that names none of the types.
    UnknownType = 2,
}

/// One step from the root towards a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'s> {
    /// To the entry with this response key.
    Key(&'s str),
    /// To the item with this index.
    Index(usize),
}

/// What was amiss with one value.
#[derive(Debug, PartialEq, Eq)]
pub struct Error<'s> {
    /// Where the value stands.
    pub path: Vec<Step<'s>>,
    /// What messages call the nearest field.
    pub label: &'s str,
    /// Why.
    pub reason: Reason,
}

/// Why nothing was projected.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// A row stops being JSON at a byte.
    Malformed {
        /// The row's index.
        row: usize,
        /// The byte's offset in the row.
        offset: usize,
    },
    /// Rows were given to a shape whose root is no list.
    NotAList,
}

/// The JSON that goes out, and the errors met.
pub type Projected<'s> = (Vec<u8>, Vec<Error<'s>>);

/// What goes out of documents, compiled from nodes.
pub struct Shape {
    root: Node,
}

impl Shape {
    /// Makes a shape of its root.
    #[must_use]
    pub fn new(root: Node) -> Self {
        Self { root }
    }

    /// Returns what the shape makes of one row; None is null.
    ///
    /// # Errors
    /// [`Refused::Malformed`], if the row is not JSON.
    pub fn project_row(&self, row: Option<&[u8]>) -> Result<Projected<'_>, Refused> {
        let mut call = Call::new(row.map_or(0, <[u8]>::len));
        if !call.row(&self.root, row, 0, None)? {
            return Ok((b"null".to_vec(), call.errors));
        }
        Ok((call.out.into_bytes(), call.errors))
    }

    /// Returns what the shape, a list, makes of `rows` as its items.
    ///
    /// # Errors
    /// [`Refused::Malformed`], if a row is not JSON; [`Refused::NotAList`].
    pub fn project_rows<R: AsRef<[u8]>>(
        &self,
        rows: &[Option<R>],
    ) -> Result<Projected<'_>, Refused> {
        let Kind::List(item) = &self.root.kind else {
            return Err(Refused::NotAList);
        };
        let mut call = Call::new(total(rows));
        if !call.rows(item, rows)? {
            return Ok((b"null".to_vec(), call.errors));
        }
        Ok((call.out.into_bytes(), call.errors))
    }

    /// Returns the whole response of a query of one field; None if there is anything wrong in it.
    ///
    /// `member` is what stands before the field's value. `rows` are the items of a list; else the first is
    /// the value.
    pub fn respond<R: AsRef<[u8]>>(&self, member: &[u8], rows: &[Option<R>]) -> Option<Vec<u8>> {
        let mut call = Call::new(total(rows) + member.len() + 16);
        call.out.put(b"{\"data\":{");
        call.out.put_all(member);
        let is_whole = match &self.root.kind {
            Kind::List(item) => call.rows(item, rows),
            _ => {
                let row = rows.first().and_then(|row| row.as_ref().map(AsRef::as_ref));
                call.row(&self.root, row, 0, None)
            }
        };
        call.out.put(b"}}");
        (is_whole == Ok(true) && call.errors.is_empty()).then(|| call.out.into_bytes())
    }
}

fn total<R: AsRef<[u8]>>(rows: &[Option<R>]) -> usize {
    rows.iter().flatten().map(|row| row.as_ref().len()).sum()
}

/// What one call has written and met so far.
struct Call<'s> {
    out: Out,
    errors: Vec<Error<'s>>,
    work: quick::Workspace,
}

impl<'s> Call<'s> {
    fn new(input: usize) -> Self {
        let out = Out::with_capacity(input.min(FIRST_CAPACITY));
        Self { out, errors: Vec::new(), work: quick::Workspace::default() }
    }

    /// Writes an array; returns false if null stands for it.
    fn rows<R: AsRef<[u8]>>(
        &mut self,
        item: &'s Node,
        rows: &[Option<R>],
    ) -> Result<bool, Refused> {
        self.out.push(b'[');
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            if !self.row(item, row.as_ref().map(AsRef::as_ref), index, Some(index))? {
                return Ok(false);
            }
        }
        self.out.push(b']');
        Ok(true)
    }

    fn row(
        &mut self,
        node: &'s Node,
        row: Option<&[u8]>,
        number: usize,
        index: Option<usize>,
    ) -> Result<bool, Refused> {
        let mark = self.out.len();
        if row.and_then(|row| quick::write(node, row, &mut self.work, &mut self.out)).is_some() {
            return Ok(true);
        }
        self.out.truncate(mark);
        exact::write(node, row, index, &mut self.out, &mut self.errors)
            .map_err(|offset| Refused::Malformed { row: number, offset })
    }
}
