//! Bytes of a file to text.

/// A file that is no text: nothing of it can be judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NotText {
    /// What could be read in front of the first byte that makes no sense.
    pub(crate) before: String,
    /// Why, in words that complete a sentence about the file.
    pub(crate) why: String,
}

/// The text of a file that is only looked at: UTF-8, or UTF-16 and UTF-32 with a byte order mark.
pub(crate) fn any(bytes: Vec<u8>) -> Result<String, NotText> {
    match bytes.as_slice() {
        [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

/// The text of a file in UTF-8, without the byte order mark that editors on Windows put in front.
pub(crate) fn utf8(bytes: Vec<u8>) -> Result<String, NotText> {
    if is_utf16(&bytes) {
        let why = "it is UTF-16 text without a byte order mark".to_owned();
        return Err(NotText { before: String::new(), why });
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let mut bytes = error.into_bytes();
        bytes.truncate(valid);
        NotText {
            before: String::from_utf8(bytes).unwrap_or_default(),
            why: format!("byte {} is not UTF-8", valid + 1),
        }
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Result<String, NotText> {
    let (pairs, rest) = bytes.as_chunks();
    let units = pairs.iter().map(|pair| read(*pair));
    let characters = char::decode_utf16(units).map(|character| {
        let character = character.ok()?;
        Some((character, 2 * character.len_utf16()))
    });
    text_of(characters, ("UTF-16", 2), rest)
}

fn utf32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> Result<String, NotText> {
    let (units, rest) = bytes.as_chunks();
    let characters = units.iter().map(|unit| Some((char::from_u32(read(*unit))?, 4)));
    text_of(characters, ("UTF-32", 4), rest)
}

/// Characters with how many bytes each takes, up to the first that is none; then what is too short for one.
fn text_of(
    characters: impl Iterator<Item = Option<(char, usize)>>,
    (encoding, mut at): (&str, usize),
    rest: &[u8],
) -> Result<String, NotText> {
    let mut before = String::new();
    let mut ends_well = rest.is_empty();
    for character in characters {
        let Some((character, length)) = character else {
            ends_well = false;
            break;
        };
        before.push(character);
        at += length;
    }
    if ends_well {
        return Ok(before);
    }
    let why = format!("it begins as {encoding}, and byte {} is not", at + 1);
    Err(NotText { before, why })
}

/// Whether every other byte is NUL at the begin, as in Latin letters of UTF-16. It would be UTF-8 as well.
fn is_utf16(bytes: &[u8]) -> bool {
    const ENOUGH: usize = 256;
    let pairs = bytes.as_chunks::<2>().0;
    let pairs = pairs.get(..ENOUGH).unwrap_or(pairs);
    let count = |at: usize| pairs.iter().filter(|pair| pair.get(at) == Some(&0)).count();
    let (high, low) = (count(0), count(1));
    high.abs_diff(low) * 2 > pairs.len() && high.min(low) * 8 < pairs.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-- größe 🦀\nSELECT 1;";

    #[test]
    fn each_encoding_with_a_mark_gives_the_same_text() {
        let marked = format!("\u{feff}{TEXT}");
        let units = || marked.encode_utf16();
        for bytes in [
            marked.as_bytes().to_vec(),
            units().flat_map(u16::to_le_bytes).collect(),
            units().flat_map(u16::to_be_bytes).collect(),
            marked.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            marked.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
        ] {
            assert_eq!(any(bytes).as_deref(), Ok(TEXT));
        }
    }

    #[test]
    fn the_first_byte_that_is_no_text_is_named_with_what_stands_before_it() {
        for (bytes, before, why) in [
            (b"a\nb'\xe9'".as_slice(), "a\nb'", "byte 5 is not UTF-8"),
            (b"\xff\xfea\0\0\xd8b\0", "a", "it begins as UTF-16, and byte 5 is not"),
            (b"\xfe\xff\0a\0", "a", "it begins as UTF-16, and byte 5 is not"),
            (b"\xff\xfe\0\0a\0\0\0b", "a", "it begins as UTF-32, and byte 9 is not"),
            (b"\0a\0b\0c", "", "it is UTF-16 text without a byte order mark"),
        ] {
            let expected = NotText { before: before.to_owned(), why: why.to_owned() };
            assert_eq!(any(bytes.to_vec()), Err(expected), "{bytes:?}");
        }
    }
}
