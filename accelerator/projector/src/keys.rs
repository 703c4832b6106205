//! The document's keys that a shape asks for.

use crate::scan;

/// Keys of this length and longer share a bucket.
const LONG: usize = 48;

/// The wanted keys of an object, found by length, then by their first and last eight bytes.
pub(crate) struct Keys {
    slots: Box<[Slot]>,
    /// `slots[starts[n]..starts[n + 1]]` are the keys of length n.
    starts: [u32; LONG + 2],
}

struct Slot {
    key: Box<[u8]>,
    first: u64,
    last: u64,
    /// The first entry that asks for the key; None if only the discriminator does.
    entry: Option<usize>,
}

impl Keys {
    pub(crate) fn new(mut keys: Vec<Vec<u8>>) -> Self {
        keys.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
        keys.dedup();
        let mut starts = [0; LONG + 2];
        for key in &keys {
            for start in starts.iter_mut().skip(key.len().min(LONG) + 1) {
                *start += 1;
            }
        }
        let slots = keys.into_iter().map(|key| Slot {
            first: first(&key, 0, key.len()),
            last: last(&key, key.len()),
            key: key.into(),
            entry: None,
        });
        Self { slots: slots.collect(), starts }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Makes `entry` the first that asks for the key of `slot`, and returns the one that was before.
    pub(crate) fn set_entry(&mut self, slot: usize, entry: usize) -> Option<usize> {
        self.slots.get_mut(slot)?.entry.replace(entry)
    }

    /// Returns the first entry that asks for the key of `slot`.
    #[inline(always)]
    pub(crate) fn entry(&self, slot: usize) -> Option<usize> {
        self.slots.get(slot)?.entry
    }

    /// Returns the slot of the key `text[start..end]`.
    #[inline(always)]
    pub(crate) fn find(&self, text: &[u8], start: usize, end: usize) -> Option<usize> {
        let len = end - start;
        let bucket = len.min(LONG);
        let from = *self.starts.get(bucket)? as usize;
        let to = *self.starts.get(bucket + 1)? as usize;
        if from == to {
            return None;
        }
        let first = first(text, start, len);
        let same = |slot: &Slot| {
            slot.first == first
                && (len <= 8
                    || slot.last == last(text, end)
                        && (len <= 16 || text.get(start..end) == Some(&*slot.key)))
        };
        self.slots.get(from..to)?.iter().position(same).map(|at| from + at)
    }
}

/// Returns the first eight of `len` bytes as a number; those missing are zero.
#[inline(always)]
fn first(text: &[u8], start: usize, len: usize) -> u64 {
    let block = match text.get(start..).and_then(<[u8]>::first_chunk::<8>) {
        Some(block) => *block,
        None => std::array::from_fn(|at| scan::byte(text, start + at)),
    };
    let word = u64::from_le_bytes(block);
    if len < 8 { word & ((1 << (8 * len)) - 1) } else { word }
}

/// Returns the last eight bytes before `end` as a number; 0 if there are fewer.
#[inline(always)]
fn last(text: &[u8], end: usize) -> u64 {
    text.get(..end).and_then(<[u8]>::last_chunk::<8>).map_or(0, |block| u64::from_le_bytes(*block))
}
