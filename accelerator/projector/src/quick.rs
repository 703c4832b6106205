//! One walk over a row, writing on the way, for rows in which nothing is amiss.
//!
//! Values whose turn it is are written as they are met. The others wait: leaves as spans of the row,
//! everything else written behind what is finished and put in its place when the object ends. Whatever
//! is out of the ordinary (an error, a key met twice, a fault) ends the walk: `exact` takes over. So
//! what succeeds here must be what `exact` writes; nothing here need be complete.

use crate::leaf;
use crate::out::Out;
use crate::scan;
use crate::shape::{Abstract, Entries, Entry, Kind, Node};

/// What a walk keeps between rows, so that a row allocates nothing.
#[derive(Default)]
pub(crate) struct Workspace {
    found: Vec<Found>,
    moved: Vec<u8>,
}

/// Where the value of an entry is.
#[derive(Clone, Copy)]
enum Found {
    /// Not met yet.
    Nowhere,
    /// In the row.
    Row(usize, usize),
    /// Written, but not in its place.
    Waiting(usize, usize),
    /// Written in its place.
    Written,
}

/// Appends what `node` makes of `row` to `out`, or returns None, having left `out` longer.
pub(crate) fn write(node: &Node, row: &[u8], work: &mut Workspace, out: &mut Out) -> Option<()> {
    work.found.clear();
    let mut walk = Walk { row, work, out };
    let end = walk.value(node, scan::space(row, 0))?;
    (scan::space(row, end) == row.len()).then_some(())
}

struct Walk<'r, 'w> {
    row: &'r [u8],
    work: &'w mut Workspace,
    out: &'w mut Out,
}

impl Walk<'_, '_> {
    /// Writes what `node` makes of the value at `at` and returns where it ends.
    #[inline]
    fn value(&mut self, node: &Node, at: usize) -> Option<usize> {
        match &node.kind {
            Kind::Leaf(_) => {
                let end = scan::value(self.row, at).ok()?;
                self.leaf(node, at, end)?;
                Some(end)
            }
            Kind::Constant(json) => {
                let end = scan::value(self.row, at).ok()?;
                self.out.put_all(json);
                Some(end)
            }
            _ if scan::byte(self.row, at) == b'n' => {
                let end = scan::word(self.row, at, b"null").ok()?;
                self.null(node)?;
                Some(end)
            }
            Kind::List(item) => self.list(item, at),
            Kind::Object(entries) => self.object(entries, at, false),
            Kind::Abstract(kinds) => self.object(self.entries(kinds, at)?, at, false),
            Kind::Joined(inner) => self.joined(inner, at),
        }
    }

    fn joined(&mut self, inner: &Node, at: usize) -> Option<usize> {
        if scan::byte(self.row, at) != b'[' {
            return None;
        }
        let at = scan::space(self.row, at + 1);
        match &inner.kind {
            Kind::Object(entries) => self.object(entries, at, true),
            Kind::Abstract(kinds) => self.object(self.entries(kinds, at)?, at, true),
            _ => None,
        }
    }

    /// Writes what the leaf `node` makes of the value at `start..end`.
    #[inline(always)]
    fn leaf(&mut self, node: &Node, start: usize, end: usize) -> Option<()> {
        if scan::byte(self.row, start) == b'n' {
            return self.null(node);
        }
        let Kind::Leaf(leaf) = &node.kind else {
            return None;
        };
        leaf::write(leaf, self.row, start, end, self.out).then_some(())
    }

    #[inline(always)]
    fn null(&mut self, node: &Node) -> Option<()> {
        self.out.put(b"null");
        node.nullable.then_some(())
    }

    fn list(&mut self, item: &Node, at: usize) -> Option<usize> {
        if scan::byte(self.row, at) != b'[' {
            return None;
        }
        self.out.push(b'[');
        let mut at = scan::space(self.row, at + 1);
        if scan::byte(self.row, at) == b']' {
            self.out.push(b']');
            return Some(at + 1);
        }
        loop {
            at = scan::space(self.row, self.value(item, at)?);
            match scan::byte(self.row, at) {
                b',' => self.out.push(b','),
                b']' => break,
                _ => return None,
            }
            at = scan::space(self.row, at + 1);
        }
        self.out.push(b']');
        Some(at + 1)
    }

    /// Returns the entries for the object at `at`, by its first discriminator.
    fn entries<'s>(&self, kinds: &'s Abstract, at: usize) -> Option<&'s Entries> {
        if scan::byte(self.row, at) != b'{' {
            return None;
        }
        let mut at = scan::space(self.row, at + 1);
        loop {
            let (end, value) = scan::key(self.row, at).ok()?;
            let is_key = self.row.get(at + 1..end) == Some(&*kinds.key);
            at = scan::value(self.row, value).ok()?;
            if is_key {
                return kinds.entries(self.row.get(value..at)?);
            }
            at = scan::space(self.row, at);
            if scan::byte(self.row, at) != b',' {
                return None;
            }
            at = scan::space(self.row, at + 1);
        }
    }

    /// Writes the object at `at`; if it is `joined`, its array is read to the end.
    fn object(&mut self, entries: &Entries, at: usize, joined: bool) -> Option<usize> {
        if scan::byte(self.row, at) != b'{' {
            return None;
        }
        let base = self.work.found.len();
        // One more than there are entries: for a discriminator that no entry asks for.
        self.work.found.resize(base + entries.list.len() + 1, Found::Nowhere);
        let mut turn = Turn { entries, base, next: 0, waiting: None };
        self.advance(&mut turn)?;
        let mut at = scan::space(self.row, at + 1);
        if scan::byte(self.row, at) != b'}' {
            loop {
                at = scan::space(self.row, self.member(&mut turn, at)?);
                match scan::byte(self.row, at) {
                    b',' => at = scan::space(self.row, at + 1),
                    b'}' => break,
                    _ => return None,
                }
            }
        }
        if joined {
            at = self.elements(&mut turn, at + 1)?;
        }
        self.rest(&turn)?;
        if entries.list.is_empty() {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        self.work.found.truncate(base);
        Some(at + 1)
    }

    /// Reads what stands beside the document that ended at `at`, up to the closing bracket.
    fn elements(&mut self, turn: &mut Turn, at: usize) -> Option<usize> {
        let mut at = scan::space(self.row, at);
        let mut element = 0;
        while scan::byte(self.row, at) == b',' {
            at = scan::space(self.row, at + 1);
            let first = turn.entries.elements.get(element).copied().flatten();
            at = scan::space(self.row, self.found(turn, first, at)?);
            element += 1;
        }
        (scan::byte(self.row, at) == b']').then_some(at)
    }

    /// Reads the member whose key stands at `at` and returns where it ends.
    #[inline(always)]
    fn member(&mut self, turn: &mut Turn, at: usize) -> Option<usize> {
        let (end, value) = scan::key(self.row, at).ok()?;
        let Some(slot) = turn.entries.keys.find(self.row, at + 1, end) else {
            return scan::value(self.row, value).ok();
        };
        let first = turn.entries.keys.entry(slot);
        let index = first.unwrap_or(turn.entries.list.len());
        let found = self.work.found.get_mut(turn.base + index)?;
        if !matches!(found, Found::Nowhere) {
            return None;
        }
        *found = Found::Written;
        self.found(turn, first, value)
    }

    /// Reads the value at `value` for the entry `first` and its aliases and returns where it ends.
    #[inline(always)]
    fn found(&mut self, turn: &mut Turn, first: Option<usize>, value: usize) -> Option<usize> {
        let mut end = None;
        let mut index = first;
        while let Some(at) = index {
            let entry = turn.entries.list.get(at)?;
            end = Some(self.entry(turn, at, entry, value)?);
            index = entry.alias;
        }
        match end {
            Some(end) => Some(end),
            None => scan::value(self.row, value).ok(),
        }
    }

    /// Reads the value at `at` for the entry with `index` and returns where it ends.
    #[inline(always)]
    fn entry(&mut self, turn: &mut Turn, index: usize, entry: &Entry, at: usize) -> Option<usize> {
        let place = turn.base + index;
        if index == turn.next && turn.waiting.is_none() {
            self.prefix(entry);
            let end = self.value(&entry.node, at)?;
            *self.work.found.get_mut(place)? = Found::Written;
            turn.next += 1;
            self.advance(turn)?;
            return Some(end);
        }
        if let Kind::Leaf(_) = entry.node.kind {
            let end = scan::value(self.row, at).ok()?;
            *self.work.found.get_mut(place)? = Found::Row(at, end);
            return Some(end);
        }
        let start = self.out.len();
        turn.waiting.get_or_insert(start);
        let end = self.value(&entry.node, at)?;
        *self.work.found.get_mut(place)? = Found::Waiting(start, self.out.len());
        Some(end)
    }

    #[inline(always)]
    fn prefix(&mut self, entry: &Entry) {
        let prefix = &entry.prefix;
        if prefix.bytes.len() <= prefix.block.len() {
            self.out.put_block(&prefix.block, prefix.bytes.len());
        } else {
            self.out.put_all(&prefix.bytes);
        }
    }

    /// Writes the constants, and the leaves met before, whose turn it now is.
    #[inline(always)]
    fn advance(&mut self, turn: &mut Turn) -> Option<()> {
        while let Some(entry) = turn.entries.list.get(turn.next) {
            if let Kind::Constant(json) = &entry.node.kind {
                self.prefix(entry);
                self.out.put_all(json);
            } else if let Found::Row(start, end) = *self.work.found.get(turn.base + turn.next)? {
                self.prefix(entry);
                self.leaf(&entry.node, start, end)?;
            } else {
                break;
            }
            turn.next += 1;
        }
        Some(())
    }

    /// Writes the entries from `turn.next` on, at the end of their object.
    #[inline(always)]
    fn rest(&mut self, turn: &Turn) -> Option<()> {
        let moved_from = turn.waiting.unwrap_or(self.out.len());
        if turn.waiting.is_some() {
            self.out.split_off(moved_from, &mut self.work.moved);
        }
        for (index, entry) in turn.entries.list.iter().enumerate().skip(turn.next) {
            self.prefix(entry);
            if let Kind::Constant(json) = &entry.node.kind {
                self.out.put_all(json);
                continue;
            }
            match *self.work.found.get(turn.base + index)? {
                Found::Nowhere => self.null(&entry.node)?,
                Found::Row(start, end) => self.leaf(&entry.node, start, end)?,
                Found::Waiting(start, end) => {
                    self.out.put_span(&self.work.moved, start - moved_from, end - moved_from);
                }
                Found::Written => return None,
            }
        }
        Some(())
    }
}

/// How far the entries of an object have been written.
struct Turn<'s> {
    entries: &'s Entries,
    /// Where the object's `Found` begin.
    base: usize,
    /// The entry to be written next.
    next: usize,
    /// From where on `out` holds values that are not in their place.
    waiting: Option<usize>,
}
