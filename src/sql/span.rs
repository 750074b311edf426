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

impl Span {
    /// All of a text that stands alone, as a generated statement does.
    pub(crate) fn whole(text: &str) -> Self {
        Places::of(text).span(0, text.len())
    }
}

/// Lines and columns of a text, for bytes that are asked for.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    text: &'a str,
    /// Where the text begins in its file.
    base: (usize, usize, usize),
    /// The byte behind each newline, in order.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    /// For a whole file. A byte order mark takes bytes but no column.
    pub(crate) fn of(text: &'a str) -> Self {
        Self::inside(text, (0, 1, 1))
    }

    /// For a statement that stands at `span` of a file.
    pub(crate) fn within(text: &'a str, span: Span) -> Self {
        Self::inside(text, (span.start, span.line, span.column))
    }

    fn inside(text: &'a str, base: (usize, usize, usize)) -> Self {
        let lines = text.match_indices('\n').map(|(index, _)| index + 1).collect();
        Self { text, base, lines }
    }

    /// The span of two byte offsets of the text.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        let (line, column) = self.place(start);
        let (end_line, end_column) = self.place(end);
        let byte = self.base.0;
        Span { start: byte + start, end: byte + end, line, column, end_line, end_column }
    }

    fn place(&self, at: usize) -> (usize, usize) {
        let (_, line, column) = self.base;
        let above = self.lines.partition_point(|begin| *begin <= at);
        let begin = above.checked_sub(1).and_then(|last| self.lines.get(last)).copied();
        let before = self.text.get(begin.unwrap_or(0)..at).unwrap_or_default();
        let characters = before.chars().filter(|character| *character != '\u{feff}').count();
        match begin {
            Some(_) => (line + above, characters + 1),
            None => (line, column + characters),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_at_newlines() {
        let text = "\u{feff}é b\r\nüx";
        let places = Places::of(text);
        let span = places.span(text.find('b').unwrap(), text.len());
        assert_eq!((span.line, span.column, span.end_line, span.end_column), (1, 3, 2, 3));
        let inner = Places::within("a\nb", span).span(0, 3);
        assert_eq!((inner.start, inner.line, inner.column), (span.start, 1, 3));
        assert_eq!((inner.end_line, inner.end_column), (2, 2));
    }
}
