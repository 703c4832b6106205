//! The bytes written so far.

/// Spans up to this length are copied in one piece of it, which needs no call: most keys and values.
const SHORT: usize = 48;

/// A growing buffer that may be written past its end in whole blocks.
#[derive(Default)]
pub(crate) struct Out {
    bytes: Vec<u8>,
    len: usize,
}

impl Out {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity], len: 0 }
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, byte: u8) {
        self.reserve(1);
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }

    #[inline(always)]
    pub(crate) fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.reserve(N);
        if let Some(slot) = self.room::<N>() {
            *slot = *bytes;
            self.len += N;
        }
    }

    /// Appends `text[start..end]`.
    #[inline(always)]
    pub(crate) fn put_span(&mut self, text: &[u8], start: usize, end: usize) {
        let len = end - start;
        if len <= SHORT {
            self.reserve(SHORT);
            let block = text.get(start..).and_then(<[u8]>::first_chunk::<SHORT>);
            if let (Some(block), Some(slot)) = (block, self.room::<SHORT>()) {
                *slot = *block;
                self.len += len;
                return;
            }
        }
        self.put_all(text.get(start..end).unwrap_or_default());
    }

    pub(crate) fn put_all(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        let end = self.len + bytes.len();
        if let Some(slot) = self.bytes.get_mut(self.len..end) {
            slot.copy_from_slice(bytes);
            self.len = end;
        }
    }

    /// Appends `block`'s first `len` bytes.
    #[inline(always)]
    pub(crate) fn put_block<const N: usize>(&mut self, block: &[u8; N], len: usize) {
        self.reserve(N);
        if let Some(slot) = self.room::<N>() {
            *slot = *block;
            self.len += len;
        }
    }

    /// Moves what was written from `start` on into `tail`.
    pub(crate) fn split_off(&mut self, start: usize, tail: &mut Vec<u8>) {
        tail.clear();
        tail.extend_from_slice(self.bytes.get(start..self.len).unwrap_or_default());
        self.truncate(start);
    }

    #[inline(always)]
    fn room<const N: usize>(&mut self) -> Option<&mut [u8; N]> {
        self.bytes.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut::<N>)
    }

    #[inline(always)]
    fn reserve(&mut self, more: usize) {
        if self.bytes.len() - self.len < more {
            self.grow(more);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        let needed = self.len + more.max(SHORT);
        self.bytes.resize(needed.max(2 * self.bytes.len()), 0);
    }
}
