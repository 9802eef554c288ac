use unicode_normalization::UnicodeNormalization;

/// The slug of a text: lower-case a–z, 0–9, and one dash wherever anything else stood between.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    let mut is_gap = false;
    for letter in text.nfkd().flat_map(char::to_lowercase) {
        let mut buffer = [0; 4];
        let folded = match letter {
            'a'..='z' | '0'..='9' => letter.encode_utf8(&mut buffer),
            '\'' | '’' | 'ʼ' | '\u{300}'..='\u{36f}' => continue,
            _ => undecomposed(letter),
        };
        if folded.is_empty() {
            is_gap = true;
            continue;
        }
        if is_gap && !slug.is_empty() {
            slug.push('-');
        }
        is_gap = false;
        slug.push_str(folded);
    }
    slug
}

/// Latin letters that Unicode does not decompose into a base letter and accents.
const fn undecomposed(letter: char) -> &'static str {
    match letter {
        'æ' => "ae",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŋ' => "n",
        'ø' => "o",
        'œ' => "oe",
        'ß' => "ss",
        'ŧ' => "t",
        'þ' => "th",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_slug_is_lower_case_ascii_with_single_dashes() {
        let slugs = [
            ("Ada Lovelace", "ada-lovelace"),
            ("  --Ada__  Lovelace!", "ada-lovelace"),
            ("Jürgen GROẞ", "jurgen-gross"),
            ("Łucja O'Brien", "lucja-obrien"),
            ("Nguyễn ３", "nguyen-3"),
            ("Zoe\u{308}", "zoe"),
            ("王", ""),
        ];

        for (text, expected) in slugs {
            assert_eq!(slug(text), expected, "of {text}");
        }
    }
}
