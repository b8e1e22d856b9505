//! Bytes that a fuzzer has made up, taken one after the other; zeroes when there are no more.

/// What is left.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(u16::from_le_bytes(self.take())) % end.max(1)
    }

    /// Where a word is chosen and not read, the most are near to something: small, large, or a bit alone.
    pub(crate) fn word(&mut self) -> u64 {
        match self.byte() {
            shift @ 0..64 => 1 << shift,
            shift @ 64..128 => u64::MAX >> (shift - 64),
            small @ 128..192 => u64::from(small - 128),
            large @ 192..224 => u64::MAX - u64::from(large - 192),
            _ => u64::from_le_bytes(self.take()),
        }
    }

    pub(crate) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut taken = [0; N];
        let there = self.bytes(N);
        taken[..there.len()].copy_from_slice(there);
        taken
    }
}
