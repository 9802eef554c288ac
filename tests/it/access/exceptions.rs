//! The exceptions from "only with a grant", listed. A longer list is a decision: review it.

use insta::assert_snapshot;
use roster_tests::{files, root};

/// The code of a file without its tests.
fn code(path: &std::path::Path) -> String {
    let text = std::fs::read_to_string(root().join(path)).expect("a file");
    text.split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The files of the core that are no tests.
fn sources() -> Vec<std::path::PathBuf> {
    let is_test = |path: &std::path::Path| {
        path.iter().any(|part| part == "tests") || path.ends_with("tests.rs")
    };
    files("core", ".rs")
        .into_iter()
        .filter(|path| !is_test(path))
        .collect()
}

/// How often a piece of text occurs, for each file where it does.
fn uses(piece: &str) -> String {
    let counts = sources()
        .into_iter()
        .map(|path| (code(&path).matches(piece).count(), path));
    let lines = counts.filter(|(count, _)| *count > 0);
    let lines: Vec<String> = lines
        .map(|(count, path)| format!("{count} {}", path.display()))
        .collect();
    lines.join("\n")
}

#[test]
fn system_grants_are_made_here_and_nowhere_else() {
    assert_snapshot!(uses("Grant::system("), @r#"
    1 core/domain/src/access.rs
    1 core/engine/src/access/variables.rs
    1 core/engine/src/accounts/register.rs
    2 core/engine/src/bootstrap.rs
    1 core/engine/src/files/asset.rs
    1 core/engine/src/login/identity.rs
    1 core/engine/src/login.rs
    3 core/engine/src/records/plan/removed.rs
    2 core/engine/src/records/plan.rs
    1 core/engine/src/records/revive.rs
    "#);
}

#[test]
fn the_system_acts_here_and_nowhere_else() {
    assert_snapshot!(uses("Principal::System("), @r#"
    1 core/domain/src/access.rs
    1 core/engine/src/access/variables.rs
    1 core/engine/src/bootstrap.rs
    1 core/engine/src/context.rs
    1 core/engine/src/convert.rs
    1 core/engine/src/fields.rs
    1 core/engine/src/plugins/narrow.rs
    1 core/engine/src/principal.rs
    1 core/engine/src/records/collections.rs
    1 core/engine/src/records/escalation.rs
    1 core/engine/src/records/store.rs
    "#);
    assert_snapshot!(uses(".as_system("), @r#"
    1 core/engine/src/accounts/invite.rs
    2 core/engine/src/accounts/register.rs
    1 core/engine/src/accounts/reset.rs
    1 core/engine/src/login/attempts.rs
    1 core/engine/src/login/identity.rs
    "#);
}

#[test]
fn these_statements_run_before_a_grant_can_exist() {
    let pages = [
        "unguarded",
        "unguarded/holdings",
        "unguarded/known",
        "recipients",
    ];
    let pages = pages.map(|page| code(format!("core/storage/src/{page}.rs").as_ref()));
    let code = pages.concat();

    let names: Vec<&str> = code
        .split("pub async fn ")
        .skip(1)
        .filter_map(|rest| rest.split('(').next())
        .collect();

    assert_snapshot!(names.join("\n"), @r#"
    bearer_of_session
    bearer_of_token
    bearer_of_user
    bearer_of_api_token
    credential
    credential_of_identity
    password_hash
    has_users
    administrator_role
    user_by_email
    epochs
    touch
    track
    rehash
    still_as_proved
    holdings
    rules_of
    policy
    known_users
    recipient
    recipient_of
    recipient_within
    "#);
    assert_eq!(code.matches("pub fn ").count(), 0);
}
