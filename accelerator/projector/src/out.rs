//! The bytes written so far.

/// Spans up to this length are copied as one block of it, which needs no call: most keys and values.
const SHORT: usize = 48;

/// A growing buffer.
pub(crate) struct Out {
    bytes: Vec<u8>,
}

impl Out {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    #[inline(always)]
    pub(crate) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    #[inline(always)]
    pub(crate) fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends the first `len` bytes of `block`.
    #[inline(always)]
    pub(crate) fn put_block<const N: usize>(&mut self, block: &[u8; N], len: usize) {
        let end = self.bytes.len() + len;
        self.bytes.extend_from_slice(block);
        self.bytes.truncate(end);
    }

    /// Appends `text[start..end]`.
    #[inline(always)]
    pub(crate) fn put_span(&mut self, text: &[u8], start: usize, end: usize) {
        let block = text.get(start..).and_then(<[u8]>::first_chunk::<SHORT>);
        match block {
            Some(block) if end - start <= SHORT => self.put_block(block, end - start),
            _ => self.put_all(text.get(start..end).unwrap_or_default()),
        }
    }

    pub(crate) fn put_all(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Moves what was written from `start` on into `tail`.
    pub(crate) fn split_off(&mut self, start: usize, tail: &mut Vec<u8>) {
        tail.clear();
        tail.extend_from_slice(self.bytes.get(start..).unwrap_or_default());
        self.truncate(start);
    }
}
