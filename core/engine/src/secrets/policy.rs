//! The operator's rule for passwords: a regular expression, perhaps between slashes.

use fancy_regex::{Regex, RegexBuilder};

/// How long one try may take, in steps: a rule with look-ahead can be made to run for ever.
const STEPS: usize = 100_000;

/// A rule for passwords.
pub(crate) struct Policy(Regex);

impl Policy {
    /// Reads a rule.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bare = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
            .unwrap_or(text);
        let regex = RegexBuilder::new(bare).backtrack_limit(STEPS).build();
        regex.map(Self).map_err(|error| error.to_string())
    }

    /// Whether a password follows it. One that cannot be tried to the end does not.
    pub(crate) fn allows(&self, password: &str) -> bool {
        self.0.is_match(password).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_stands_with_or_without_slashes() {
        for text in ["/^.{12,}$/", "^.{12,}$"] {
            let policy = Policy::parse(text).expect("a rule");

            assert!(policy.allows("long enough for it"));
            assert!(!policy.allows("short"));
        }
    }

    #[test]
    fn the_strong_preset_is_understood() {
        let strong =
            r"/(?=^.{8,}$)(?=.*\d)(?=.*[a-z])(?=.*[A-Z])(?=.*[!@#$%^&*()_+}{';'?>.<,])(?!.*\s).*$/";
        let policy = Policy::parse(strong).expect("a rule");

        assert!(policy.allows("Correct-Horse-9!"));
        assert!(!policy.allows("correct-horse-9!"));
        assert!(!policy.allows("Correct Horse 9!"));
    }

    #[test]
    fn a_rule_that_explodes_refuses_instead_of_running_for_ever() {
        let policy = Policy::parse(r"^(?=(a+)+$)(a|aa)+$\1").expect("a rule");

        assert!(!policy.allows(&format!("{}!", "a".repeat(500))));
    }
}
