//! Names of files, as people gave them and as they are safe to give back.

use super::picture::Kind;

/// How long a name is at most, in characters: as long as its field.
const LONGEST: usize = 255;

/// A name without folders and without what cannot be seen; nothing where nothing is left.
pub(super) fn clean(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect();
    let name = visible.trim().trim_start_matches('.');
    (!name.is_empty()).then(|| name.to_owned())
}

/// The title that a name suggests: `my-cat_2.png` is `My Cat 2`.
pub(super) fn title(name: &str) -> String {
    let words = stem(name)
        .split(['-', '_', ' '])
        .filter(|word| !word.is_empty());
    let words: Vec<String> = words
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        })
        .collect();
    words.join(" ")
}

/// The name under which a browser saves it: that of the file, but with the extension of what it is.
pub(super) fn download(name: &str, kind: Kind) -> String {
    let name = clean(name).unwrap_or_default();
    let stem = match stem(&name) {
        "" => "file",
        stem => stem,
    };
    format!("{stem}.{}", kind.extension())
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_folders_and_what_is_not_seen() {
        assert_eq!(clean("../../etc/pass\0wd").as_deref(), Some("passwd"));
        assert_eq!(clean("C:\\x\\a b.png").as_deref(), Some("a b.png"));
        assert_eq!(clean(" .. "), None);
        assert_eq!(clean(&"x".repeat(300)).map(|name| name.len()), Some(255));
    }

    #[test]
    fn a_name_suggests_a_title_and_a_safe_name() {
        assert_eq!(title("my-cat_2.png"), "My Cat 2");
        assert_eq!(title("émile"), "Émile");
        assert_eq!(download("evil.html", Kind::Png), "evil.png");
        assert_eq!(download("", Kind::Webp), "file.webp");
    }
}
