//! Seals: by what a statement that ran is recognised.

use sha2::{Digest, Sha256};

use super::tokens::Scanner;
use crate::model::server::Engine;
use crate::model::step::Seal;

/// The seal of a text: SHA-256 in hexadecimal over its tokens, without comments and white space. Comments that a
/// server executes (`/*! */`) count. A text that cannot be split into tokens is sealed all the same: what follows its
/// last token counts as it is.
pub(crate) fn seal(text: &str, engine: Engine) -> Seal {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut scanner = Scanner::new(text, engine);
    let mut hash = Sha256::new();
    while let Ok(Some(raw)) = scanner.next() {
        if !raw.is_blank() {
            hash.update(raw.text.as_bytes());
            // No UTF-8 text holds this byte, so that no two lists of tokens look alike.
            hash.update([0xff]);
        }
    }
    hash.update(text.get(scanner.at()..).unwrap_or_default().trim().as_bytes());
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    Seal(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_white_space_do_not_count() {
        for engine in [Engine::Postgres, Engine::MySql, Engine::MariaDb] {
            let plain = seal("ALTER TABLE t ADD COLUMN a int DEFAULT 'x  y'", engine);
            let other = seal(
                "\u{feff}-- why\r\nALTER/* é */TABLE t\n\tADD COLUMN a int DEFAULT 'x  y' -- z",
                engine,
            );
            assert_eq!(plain, other);
            assert_eq!(plain.0.len(), 64);
        }
    }

    #[test]
    fn what_a_server_reads_does_count() {
        let engine = Engine::MySql;
        assert_ne!(seal("SELECT 'a b'", engine), seal("SELECT 'a  b'", engine));
        assert_ne!(seal("SELECT ab", engine), seal("SELECT a b", engine));
        assert_ne!(seal("SELECT /*!80000 1 */", engine), seal("SELECT /*!80000 2 */", engine));
        assert_ne!(seal("SELECT 'a", engine), seal("SELECT 'b", engine));
        assert_eq!(seal("SELECT 'a", engine), seal("SELECT  'a ", engine));
    }
}
