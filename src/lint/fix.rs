//! Edits put into a text.

use super::finding::{Finding, Fix};
use crate::sql::span::Span;

/// A text in which edits were put, and the findings whose edits those are, from the top. Of two that overlap the first
/// in the text is taken: the other comes next time, if it still says the same. `None`: nothing can be edited.
pub(crate) fn fixed<'f>(
    text: &str,
    findings: impl Iterator<Item = &'f Finding>,
) -> Option<(String, Vec<&'f Finding>)> {
    let mut edits: Vec<(Span, &str, &Finding)> = findings
        .filter_map(|finding| match &finding.fix {
            Some(Fix::Edit { span, text }) => Some((*span, text.as_str(), finding)),
            _ => None,
        })
        .collect();
    edits.sort_by_key(|(span, _, _)| (span.start, span.end));
    let mut result = String::with_capacity(text.len());
    let (mut done, mut taken) = (0, Vec::new());
    for (span, new, finding) in edits {
        let Some(before) =
            text.get(done..span.start).filter(|_| taken.is_empty() || span.start > done)
        else {
            continue;
        };
        if text.get(span.start..span.end).is_none() {
            continue;
        }
        result.push_str(before);
        result.push_str(new);
        done = span.end;
        // A line that was nothing but what went goes, too.
        let is_blank = result.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
        let rest = text.get(done..).unwrap_or_default();
        let line = rest.split_once('\n').filter(|(line, _)| line.trim().is_empty());
        if let (true, true, Some((line, _))) = (new.is_empty(), is_blank, line) {
            result.truncate(result.trim_end_matches([' ', '\t']).len());
            done += line.len() + 1;
        }
        taken.push(finding);
    }
    if taken.is_empty() {
        return None;
    }
    result.push_str(text.get(done..).unwrap_or_default());
    Some((result, taken))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::finding::Severity;
    use crate::sql::span::Places;

    fn check(text: &str, edits: &[(usize, usize, &str)], expected: &str) {
        let finding = |(start, end, new): &(usize, usize, &str)| Finding {
            rule: "x",
            severity: Severity::Info,
            message: String::new(),
            help: String::new(),
            span: Places::of(text).span(*start, *end),
            fix: Some(Fix::Edit {
                span: Places::of(text).span(*start, *end),
                text: (*new).to_owned(),
            }),
        };
        let findings: Vec<_> = edits.iter().map(finding).collect();
        assert_eq!(fixed(text, findings.iter()).unwrap().0, expected);
    }

    #[test]
    fn edits_are_put_in_from_the_top_and_never_over_one_another() {
        check("a b c", &[(2, 3, "B"), (0, 1, "A")], "A B c");
        check("abc", &[(0, 2, "x"), (1, 3, "y")], "xc");
        check("ab", &[(1, 1, "-"), (1, 1, "+")], "a-b");
        check("a\n  -- note\nb", &[(4, 11, "")], "a\nb");
        check("a -- note\nb", &[(2, 9, "")], "a \nb");
        check("é b", &[(3, 4, "c")], "é c");
    }
}
