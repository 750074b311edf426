//! PostgreSQL's hashes of values, by which rows of PARTITION BY HASH find their partition.
//!
//! They have not changed since PostgreSQL 11: dumps rely on them. It is Bob Jenkins's public lookup3 with starting values of
//! its own; checked with `satisfies_hash_partition` on PostgreSQL 18.

/// What is added to each column's hash.
const SEED: u64 = 0x7A5B_2236_7996_DCFD;

/// What is left of a value's hash, for a table partitioned by one column of that type; `None`: the type is not known.
pub(super) fn remainder(data_type: &str, value: &str, modulus: u64) -> Option<u64> {
    let hash = match data_type {
        "smallint" | "integer" => word(value.parse::<i32>().ok()?.cast_unsigned()),
        "bigint" => {
            let number = value.parse::<i64>().ok()?;
            let (high, low) = halves(number.cast_unsigned());
            word(low ^ if number >= 0 { high } else { !high })
        }
        "text" | "character varying" => bytes(value.as_bytes()),
        "uuid" => {
            let digits: String = value.chars().filter(|digit| *digit != '-').collect();
            bytes(
                &u128::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 32)?
                    .to_be_bytes(),
            )
        }
        _ => return None,
    };
    // Combined with the hash of no columns before it.
    hash.wrapping_add(0x49A0_F4DD_15E5_A8E3).checked_rem(modulus)
}

/// The upper and the lower half.
fn halves(number: u64) -> (u32, u32) {
    let half = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
    (half(number >> 32), half(number))
}

fn word(number: u32) -> u64 {
    let [a, b, c] = begin(4);
    finish([a.wrapping_add(number), b, c])
}

fn bytes(text: &[u8]) -> u64 {
    let mut state = begin(text.len());
    let mut chunks = text.chunks_exact(12);
    for chunk in &mut chunks {
        state = mix(sum(state, chunk, 0));
    }
    // The last word keeps its lowest byte for the length.
    finish(sum(state, chunks.remainder(), 1))
}

/// Adds up to twelve bytes to the three words; the third one's are shifted.
fn sum(mut state: [u32; 3], text: &[u8], shifted: u32) -> [u32; 3] {
    for (at, (word, part)) in state.iter_mut().zip(text.chunks(4)).enumerate() {
        let shifted = if at == 2 { shifted } else { 0 };
        for (byte, place) in part.iter().zip(shifted..) {
            *word = word.wrapping_add(u32::from(*byte) << (8 * place));
        }
    }
    state
}

fn begin(length: usize) -> [u32; 3] {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let start = 0x9E37_79B9_u32.wrapping_add(length).wrapping_add(3_923_095);
    let (high, low) = halves(SEED);
    mix([start.wrapping_add(high), start.wrapping_add(low), start])
}

fn mix(state: [u32; 3]) -> [u32; 3] {
    let [mut a, mut b, mut c] = state;
    for (first, second, third) in [(4, 6, 8), (16, 19, 4)] {
        a = a.wrapping_sub(c) ^ c.rotate_left(first);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(second);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(third);
        b = b.wrapping_add(a);
    }
    [a, b, c]
}

fn finish(state: [u32; 3]) -> u64 {
    let [mut a, mut b, mut c] = state;
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    (u64::from(b) << 32) | u64::from(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_remainders_that_postgres_says() {
        let check = |data_type: &str, values: &[(&str, u64)]| {
            for (value, expected) in values {
                assert_eq!(remainder(data_type, value, 8), Some(*expected), "{data_type} {value}");
            }
        };
        check("integer", &[("0", 0), ("1", 0), ("5", 5), ("-7", 2), ("100001", 4)]);
        check("bigint", &[("0", 0), ("-1", 5), ("5", 5), ("1099511627776", 6)]);
        check("bigint", &[("-1099511627776", 2)]);
        check("text", &[("", 6), ("a", 6), ("hello", 4), ("abcdefghijkl", 1), ("äöü", 7)]);
        check("text", &[("abcdefghijklmnopqrstuvwxyz", 3)]);
        check("uuid", &[("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", 0)]);
        assert_eq!(remainder("numeric", "1", 8), None);
        assert_eq!(remainder("integer", "x", 8), None);
    }
}
