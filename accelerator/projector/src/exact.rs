//! The walk by the letter: `reference.py` in Rust, for the rows that `quick` leaves.

use crate::leaf;
use crate::out::Out;
use crate::scan;
use crate::shape::{Abstract, Entries, Entry, Kind, Node};
use crate::{Error, MAX_ERRORS, Reason, Step};

/// Appends what `node` makes of `row` to `out`, and the errors met to `errors`.
///
/// Returns whether anything bubbled out of `node`, or the offset at which `row` stops being JSON.
/// `index` is where the row stands in a list.
pub(crate) fn write<'s>(
    node: &'s Node,
    row: Option<&[u8]>,
    index: Option<usize>,
    out: &mut Out,
    errors: &mut Vec<Error<'s>>,
) -> Result<bool, usize> {
    if let Some(row) = row {
        scan::text(row)?;
    }
    let path = index.map(Part::Item).into_iter().collect();
    let mut walk = Walk { row: row.unwrap_or_default(), path, out, errors };
    let start = row.map(|row| scan::space(row, 0));
    walk.value(node, start)
}

#[derive(Clone, Copy)]
enum Part<'s> {
    Entry(&'s Entry),
    Item(usize),
}

struct Walk<'s, 'w> {
    row: &'w [u8],
    path: Vec<Part<'s>>,
    out: &'w mut Out,
    errors: &'w mut Vec<Error<'s>>,
}

impl<'s> Walk<'s, '_> {
    /// Writes what `node` makes of the value at `at`, or returns false: then its parent is null.
    fn value(&mut self, node: &'s Node, at: Option<usize>) -> Result<bool, usize> {
        self.value_beside(node, at, &[])
    }

    /// As `value`; `beside` is where the values beside an object begin.
    fn value_beside(
        &mut self,
        node: &'s Node,
        at: Option<usize>,
        beside: &[usize],
    ) -> Result<bool, usize> {
        if let Kind::Constant(json) = &node.kind {
            self.out.put_all(json);
            return Ok(true);
        }
        if let (Kind::Joined(inner), Some(at)) = (&node.kind, at)
            && let [document, beside @ ..] = self.items(at)?.as_slice()
        {
            return self.value_beside(inner, Some(*document), beside);
        }
        let mark = self.out.len();
        match at {
            Some(at) if scan::byte(self.row, at) != b'n' => {
                if self.fill(node, at, beside)? {
                    return Ok(true);
                }
            }
            _ if node.nullable => (),
            _ => self.error(Reason::Null),
        }
        if node.nullable {
            self.out.truncate(mark);
            self.out.put(b"null");
        }
        Ok(node.nullable)
    }

    fn fill(&mut self, node: &'s Node, at: usize, beside: &[usize]) -> Result<bool, usize> {
        match (&node.kind, scan::byte(self.row, at)) {
            (Kind::Leaf(leaf), _) => {
                let end = scan::value(self.row, at)?;
                let written = leaf::write(leaf, self.row, at, end, self.out);
                if !written {
                    self.error(Reason::WrongType);
                }
                Ok(written)
            }
            (Kind::List(item), b'[') => self.list(item, at),
            (Kind::Object(entries), b'{') => {
                let starts = self.members(entries, at, beside)?;
                self.entries(entries, &starts)
            }
            (Kind::Abstract(kinds), b'{') => self.by_type(kinds, at, beside),
            _ => {
                self.error(Reason::WrongType);
                Ok(false)
            }
        }
    }

    fn list(&mut self, item: &'s Node, at: usize) -> Result<bool, usize> {
        self.out.push(b'[');
        let mut at = scan::space(self.row, at + 1);
        let mut index = 0;
        while scan::byte(self.row, at) != b']' {
            if index > 0 {
                self.out.push(b',');
                at = scan::space(self.row, at + 1);
            }
            self.path.push(Part::Item(index));
            let written = self.value(item, Some(at))?;
            self.path.pop();
            if !written {
                return Ok(false);
            }
            at = scan::space(self.row, scan::value(self.row, at)?);
            index += 1;
        }
        self.out.push(b']');
        Ok(true)
    }

    /// Returns where the items of the array at `at` begin; none of what is no array.
    fn items(&self, at: usize) -> Result<Vec<usize>, usize> {
        let mut starts = Vec::new();
        if scan::byte(self.row, at) != b'[' {
            return Ok(starts);
        }
        let mut at = scan::space(self.row, at + 1);
        while scan::byte(self.row, at) != b']' {
            starts.push(at);
            at = scan::space(self.row, scan::value(self.row, at)?);
            if scan::byte(self.row, at) == b',' {
                at = scan::space(self.row, at + 1);
            }
        }
        Ok(starts)
    }

    fn by_type(&mut self, kinds: &'s Abstract, at: usize, beside: &[usize]) -> Result<bool, usize> {
        let mut token: &[u8] = &[];
        let row = self.row;
        each(row, at, |key, start, end| {
            if key == &*kinds.key {
                token = row.get(start..end).unwrap_or_default();
            }
        })?;
        let Some(entries) = kinds.entries(token) else {
            self.error(Reason::UnknownType);
            return Ok(false);
        };
        let starts = self.members(entries, at, beside)?;
        self.entries(entries, &starts)
    }

    /// Returns where the wanted values begin, by slots: of their keys, then of those beside.
    fn members(
        &self,
        entries: &Entries,
        at: usize,
        beside: &[usize],
    ) -> Result<Vec<Option<usize>>, usize> {
        let mut starts = vec![None; entries.keys.len()];
        each(self.row, at, |key, start, _| {
            let slot = entries.keys.find(key, 0, key.len());
            if let Some(place) = slot.and_then(|slot| starts.get_mut(slot)) {
                *place = Some(start);
            }
        })?;
        starts.extend(beside.iter().copied().map(Some));
        Ok(starts)
    }

    fn entries(&mut self, entries: &'s Entries, starts: &[Option<usize>]) -> Result<bool, usize> {
        for entry in &entries.list {
            self.out.put_all(&entry.prefix.bytes);
            let start = entry.slot.and_then(|slot| starts.get(slot).copied().flatten());
            self.path.push(Part::Entry(entry));
            let written = self.value(&entry.node, start)?;
            self.path.pop();
            if !written {
                return Ok(false);
            }
        }
        self.out.put_all(if entries.list.is_empty() { b"{}" } else { b"}" });
        Ok(true)
    }

    fn error(&mut self, reason: Reason) {
        if self.errors.len() < MAX_ERRORS {
            let label = self.path.iter().rev().find_map(|part| match part {
                Part::Entry(entry) => Some(&*entry.label),
                Part::Item(_) => None,
            });
            let path = self.path.iter().map(|part| match *part {
                Part::Entry(entry) => Step::Key(&entry.response_key),
                Part::Item(index) => Step::Index(index),
            });
            let label = label.unwrap_or_default();
            self.errors.push(Error { path: path.collect(), label, reason });
        }
    }
}

/// Calls `visit` with key and value span of each member of the object at `at`.
fn each(row: &[u8], at: usize, mut visit: impl FnMut(&[u8], usize, usize)) -> Result<(), usize> {
    let mut at = scan::space(row, at + 1);
    while scan::byte(row, at) != b'}' {
        let (key_end, start) = scan::key(row, at)?;
        let end = scan::value(row, start)?;
        visit(row.get(at + 1..key_end).unwrap_or_default(), start, end);
        at = scan::space(row, end);
        if scan::byte(row, at) == b',' {
            at = scan::space(row, at + 1);
        }
    }
    Ok(())
}
