//! Places in a file.

/// A range of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) start: usize,
    /// Byte after the last.
    pub(crate) end: usize,
    /// 1-based line of the first byte.
    pub(crate) line: usize,
    /// 1-based column of the first byte, in characters.
    pub(crate) column: usize,
    /// 1-based line of the end.
    pub(crate) end_line: usize,
    /// 1-based column of the end, in characters; the character there is no longer part.
    pub(crate) end_column: usize,
}
