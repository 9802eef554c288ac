//! Passwords that everybody tries first.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The list: one a line, in lower case, eight characters and more. Shorter ones fall under the
/// least length.
static LIST: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Words shorter than this are not looked for.
const SHORTEST_WORD: usize = 4;

/// Whether a password is on the list, in any case, with the usual digits for letters, or with
/// digits and signs behind it.
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let bare = trimmed(&lower);
    [lower.as_str(), bare]
        .into_iter()
        .any(|text| LIST.contains(text) || LIST.contains(plain(text).as_str()))
        || is_one_thing(&lower)
}

/// The words of the texts around a user: of their address, of the project.
pub(super) fn words<'t>(texts: impl IntoIterator<Item = &'t str>) -> HashSet<String> {
    let mut words = HashSet::new();
    for text in texts {
        let lower = text.to_lowercase();
        let local = lower.split('@').next().unwrap_or_default();
        for whole in [local, &lower] {
            let parts = whole.split(|c: char| !c.is_alphanumeric());
            words.extend(parts.map(ToOwned::to_owned));
            words.insert(whole.chars().filter(|c| c.is_alphanumeric()).collect());
            words.insert(whole.to_owned());
        }
    }
    words.retain(|word| word.chars().count() >= SHORTEST_WORD);
    words
}

/// Whether a password is no more than one of the words, perhaps with digits and signs behind it or
/// written twice.
pub(super) fn is_word(password: &str, words: &HashSet<String>) -> bool {
    let lower = password.to_lowercase();
    let bare = trimmed(&lower);
    let half = &bare.get(..bare.len() / 2).unwrap_or_default();
    [lower.as_str(), bare, plain(bare).as_str()]
        .into_iter()
        .any(|text| words.contains(text))
        || (bare == half.repeat(2) && words.contains(*half))
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches(|c: char| !c.is_alphabetic())
}

/// `p@ssw0rd` for `password`.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

/// Whether a text is one character over and over, or runs up or down one by one.
fn is_one_thing(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let mut steps = codes.windows(2).map(|pair| pair[1] - pair[0]);
    match steps.next() {
        Some(first) if (-1..=1).contains(&first) => steps.all(|step| step == first),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_thousands_of_entries_that_could_be_chosen() {
        assert!(LIST.len() >= 3_000, "{}", LIST.len());
        for entry in LIST.iter() {
            assert!(entry.chars().count() >= 8, "{entry}");
            assert_eq!(*entry, entry.to_lowercase());
        }
    }

    #[test]
    fn disguises_do_not_help() {
        for common in [
            "password",
            "Password1",
            "P@ssw0rd!",
            "password2024!",
            "qwertyuiop",
            "aaaaaaaaaa",
            "12345678",
            "abcdefgh",
            "987654321",
            "iloveyou1",
        ] {
            assert!(is_common(common), "{common}");
        }
        for fine in ["correct horse battery", "Tr0ub4dor&3x", "vazoluwe-9"] {
            assert!(!is_common(fine), "{fine}");
        }
    }

    #[test]
    fn words_around_a_user_are_no_passwords() {
        let words = words(["ada.lovelace@example.com", "Analytical Engines"]);

        for word in [
            "lovelace",
            "Lovelace1815!",
            "ada.lovelace@example.com",
            "adalovelace",
            "analyticalengines",
            "lovelacelovelace",
            "3xample2026",
        ] {
            assert!(is_word(word, &words), "{word}");
        }
        assert!(!is_word("lovelace-was-first", &words));
    }
}
