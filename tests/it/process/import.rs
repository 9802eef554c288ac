use roster_tests::{Database, Finished, Process, SECRET, Setup};

async fn import(database: &Database, arguments: &[&str]) -> Finished {
    let environment = [
        ("ROSTER__DATABASE__URL", database.url()),
        ("ROSTER__AUTH__SECRET", SECRET),
        ("ROSTER__LOG__LEVEL", "off"),
    ];
    let arguments = [&["users", "import"], arguments].concat();
    Process::run(database.folder(), &arguments, &environment).await
}

#[tokio::test]
async fn a_file_is_taken_in_from_the_command_line() {
    let database = Setup::new().start().await.stop().await;
    let file = "email;first_name;status\nann@example.com;Ann;active\nnobody;Bob;active\ncy@example.com;Cy;draft\n";
    std::fs::write(database.folder().join("users.csv"), file).expect("a file");
    let semicolons = ["users.csv", "--delimiter", ";"];
    let usual = [&semicolons[..], &["--allow", "status"]].concat();

    let unnamed = import(&database, &semicolons).await;
    let trial = import(&database, &[&usual[..], &["--dry-run"]].concat()).await;
    let stopped = import(&database, &usual).await;
    let lines = ["--first-row", "3", "--report", "report.jsonl"];
    let rest = import(&database, &[&usual[..], &lines].concat()).await;
    let missing = import(&database, &["none.csv"]).await;
    let other = import(&database, &["users.txt"]).await;

    assert_eq!(unnamed.code, Some(1), "{}", unnamed.err);
    assert!(unnamed.err.contains("allow=status"), "{}", unnamed.err);
    assert_eq!(
        (trial.code, trial.out.as_str()),
        (
            Some(1),
            "3 rows: 2 created, 0 updated, 0 skipped, 1 failed (dry run: nothing stored)\n"
        )
    );
    assert!(
        trial
            .err
            .contains("row 2: Validation failed for field \"email\""),
        "{}",
        trial.err
    );
    assert_eq!(
        (stopped.code, stopped.out.as_str()),
        (
            Some(1),
            "2 rows: 1 created, 0 updated, 0 skipped, 1 failed\ngo on with --first-row 2\n"
        )
    );
    assert_eq!(
        (rest.code, rest.out.as_str()),
        (
            Some(0),
            "1 rows: 1 created, 0 updated, 0 skipped, 0 failed\n"
        )
    );
    let report = std::fs::read_to_string(database.folder().join("report.jsonl")).expect("a report");
    assert!(
        report.starts_with("{\"row\":3,\"outcome\":\"created\",\"id\":\""),
        "{report}"
    );
    assert!(missing.err.contains("none.csv"), "{}", missing.err);
    assert_eq!(other.code, Some(2));
    assert_eq!(
        database
            .text("SELECT status FROM users WHERE email = 'cy@example.com'")
            .await,
        "draft"
    );
}
