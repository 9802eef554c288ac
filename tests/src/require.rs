use crate::database::{Kind, kind};

/// Says that a test cannot run because something is not installed. With `ROSTER_TEST_REQUIRE=all`
/// that is a failure.
#[track_caller]
pub fn is_missing(what: &str) {
    let is_required = std::env::var("ROSTER_TEST_REQUIRE").is_ok_and(|value| value == "all");
    assert!(
        !is_required,
        "{what} is missing, and ROSTER_TEST_REQUIRE=all"
    );
    eprintln!("skipped: {what} is missing");
}

/// Whether a test about several nodes has no database to run on, which it then says.
pub fn is_not_on_postgres() -> bool {
    let is_sqlite = kind() == Kind::Sqlite;
    if is_sqlite {
        eprintln!("skipped: not on sqlite");
    }
    is_sqlite
}
