//! Looking for the one row that makes a batch fail: by halves. Pure.

/// Rows among which there is a bad one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hunt {
    /// So many rows, from the cursor on.
    suspects: u64,
}

impl Hunt {
    /// A batch of so many rows was refused. None: it was one row, so this is the bad one.
    pub(super) fn after_refusal(rows: u64) -> Option<Self> {
        (rows > 1).then_some(Self { suspects: rows })
    }

    /// How many rows to try next.
    pub(super) fn rows(self) -> u64 {
        (self.suspects / 2).max(1)
    }

    /// A batch of so many of them went well: the bad one is among the others. None: there are no others, somebody
    /// has mended it.
    pub(super) fn after_success(self, rows: u64) -> Option<Self> {
        let suspects = self.suspects.saturating_sub(rows);
        (suspects > 0).then_some(Self { suspects })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_bad_row_is_found_in_a_few_batches(all in 1_u64..50_000, bad in 0_u64..50_000) {
            let bad = bad % all;
            let (mut cursor, mut hunt, mut batches) = (0, Hunt::after_refusal(all), 1);
            while let Some(now) = hunt {
                batches += 1;
                prop_assert!(batches < 40);
                let rows = now.rows();
                if (cursor..cursor + rows).contains(&bad) {
                    hunt = Hunt::after_refusal(rows);
                } else {
                    cursor += rows;
                    hunt = now.after_success(rows);
                    prop_assert!(hunt.is_some());
                }
            }
            prop_assert_eq!(cursor, bad);
        }
    }
}
