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
    /// A place in each block of bytes, so that little is read for each question, however long lines are.
    marks: Vec<Mark>,
}

/// A byte, and what stands above and before it.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    at: usize,
    /// Newlines in front of it.
    lines: usize,
    /// Characters in front of it in its line.
    characters: usize,
}

/// How many bytes there are from mark to mark.
const BLOCK: usize = 512;

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
        let mut mark = Mark::default();
        let mut marks = Vec::new();
        while mark.at + BLOCK < text.len() {
            mark = mark.moved(text, mark.at + BLOCK);
            marks.push(mark);
        }
        Self { text, base, marks }
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
        let before = self.marks.partition_point(|mark| mark.at <= at);
        let mark = before.checked_sub(1).and_then(|last| self.marks.get(last)).copied();
        let Mark { lines, characters, .. } = mark.unwrap_or_default().moved(self.text, at);
        if lines > 0 { (line + lines, characters + 1) } else { (line, column + characters) }
    }
}

impl Mark {
    /// The mark at, or right in front of, a later byte.
    fn moved(self, text: &str, at: usize) -> Self {
        let at = text.floor_char_boundary(at);
        let between = text.get(self.at..at).unwrap_or_default();
        let count = |part: &str| {
            if part.is_ascii() {
                return part.len();
            }
            part.chars().filter(|character| *character != '\u{feff}').count()
        };
        match between.rsplit_once('\n') {
            Some((above, line)) => {
                let lines = above.bytes().filter(|byte| *byte == b'\n').count() + 1;
                Self { at, lines: self.lines + lines, characters: count(line) }
            }
            None => Self { at, characters: self.characters + count(between), ..self },
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

    #[test]
    fn places_of_a_long_text_are_those_that_are_counted_from_its_begin() {
        for line in ["é", "ab\n", "a\u{feff}é\n\nbc"] {
            let text = line.repeat(3 * BLOCK);
            let places = Places::of(&text);
            for at in (0..text.len()).step_by(977).filter(|at| text.is_char_boundary(*at)) {
                let before = text.get(..at).unwrap();
                let column = before.rsplit('\n').next().unwrap().replace('\u{feff}', "");
                let expected = (before.matches('\n').count() + 1, column.chars().count() + 1);
                let span = places.span(at, at);
                assert_eq!((span.line, span.column), expected, "{at}");
            }
        }
    }
}
