//! Whether a name carries data, by its look.

/// From so many characters on a label can be told from a word: half a digest, or a serial number.
const LABEL: usize = 16;
/// Data changes between letters and digits at least once in so many characters, on average.
///
/// Random hexadecimal does at every second, base 32 at every third, base 64 at every fourth.
const RHYTHM: usize = 6;
/// No name that people gave has so many characters before its registered domain; what carries data uses
/// the room there is.
const LONG: usize = 52;

/// Whether what stands before the registered domain looks like data: bytes that no host's name has, or
/// long, or a label in an encoding of bytes.
pub(super) fn is_data(below: &str) -> bool {
    let labels = || below.split('.').filter(|label| !label.starts_with('_'));
    below.contains('\\')
        || labels().map(str::len).sum::<usize>() >= LONG
        || labels().any(|label| label.len() >= LABEL && changes(label) * RHYTHM >= label.len())
}

/// How often a letter follows a digit, or a digit a letter.
fn changes(label: &str) -> usize {
    let pairs = label.as_bytes().windows(2);
    pairs
        .filter(|pair| match pair {
            [a, b] => {
                a.is_ascii_digit() && b.is_ascii_alphabetic()
                    || a.is_ascii_alphabetic() && b.is_ascii_digit()
            }
            _ => false,
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_told_from_names() {
        for (below, expected) in [
            // dnscat2, iodine in base 32 and base 128, base 64 for file names, a digest.
            ("7cd501a621c362010a", true),
            ("laaepw4ketqla2f0xky1mes3lromitvy.t", true),
            (r"0ehbi82\202hb\190n\217", true),
            ("ahr0chm6ly9legftcgxllmnvbs9zzwnyzxrz", true),
            ("b10a8db164e0754105b7a99be72e3fe5", true),
            (
                "this-is-all-one-file-name-without-any-digits.in-two-labels",
                true,
            ),
            ("", false),
            ("www", false),
            ("kafka-headless.production-eu-west-1", false),
            ("ip-10-244-147-92.eu-central-1.compute", false),
            ("ec2-203-0-113-25.compute-1", false),
            ("a1b2c3d4e5f6a7b", false),
            ("quality-assurance-environment", false),
            ("_a1b2c3d4e5f6a7b8.www", false),
        ] {
            assert_eq!(is_data(below), expected, "{below}");
        }
    }

    #[test]
    fn each_bound_is_one() {
        let label = |changes: usize, length: usize| {
            let changing: String = "a1".chars().cycle().take(changes + 1).collect();
            let last = changing.chars().last().unwrap();
            let same = last.to_string().repeat(length - changing.len());
            changing + &same
        };
        for (changes, length, expected) in [
            (14, 15, false),
            (3, 16, true),
            (2, 16, false),
            (3, 18, true),
            (3, 19, false),
        ] {
            let label = label(changes, length);
            assert_eq!(is_data(&label), expected, "{label}");
        }
        assert!(!is_data(&format!("{}.b", "a".repeat(50))));
        assert!(is_data(&format!("{}.b", "a".repeat(51))));
    }
}
