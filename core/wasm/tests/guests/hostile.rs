use std::sync::Arc;
use std::time::{Duration, Instant};

use roster_sdk::testing::{self, FakeHost};
use roster_sdk::{Event, Failure, HookError, Host, Level, json};
use roster_wasm::Limits;

use crate::{PATIENT, load};

/// What a call in this mode fails with, and what the guest logged.
async fn failure(mode: &str, limits: Limits) -> (String, Vec<(Level, String)>) {
    let host = FakeHost::new();
    let plugin = load(
        "roster-hostile-plugin",
        json!({ "mode": mode }),
        limits,
        &host,
    )
    .await;
    let cx = testing::context(Event::BeforeCreate, &host);
    let mut draft = testing::draft(json!({ "title": "before" }));

    let answer = plugin
        .unwrap()
        .hooks
        .unwrap()
        .before_create(&cx, &mut draft)
        .await;

    assert_eq!(draft, testing::draft(json!({ "title": "before" })));
    match answer {
        Err(HookError::Failed(failure)) => (failure.reason, host.lines()),
        other => panic!("expected a failure, got {other:?}"),
    }
}

/// Runs a future on this one thread and counts how often another task came to its turn meanwhile.
async fn beats_during<T>(work: impl Future<Output = T>) -> (T, u32) {
    let mut beats = 0;
    let mut beat = tokio::time::interval(Duration::from_millis(1));
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return (done, beats),
            _ = beat.tick() => beats += 1,
        }
    }
}

#[tokio::test]
async fn an_endless_loop_ends_at_the_deadline_and_blocks_nobody() {
    let host = FakeHost::new();
    let limits = Limits {
        timeout: Duration::from_millis(250),
        ..PATIENT
    };
    let plugin = load(
        "roster-hostile-plugin",
        json!({ "mode": "loop" }),
        limits,
        &host,
    )
    .await;
    let hooks = plugin.unwrap().hooks.unwrap();
    let cx = testing::context(Event::BeforeCreate, &host);
    let mut draft = testing::draft(json!({}));

    let started = Instant::now();
    let (answer, beats) = beats_during(hooks.before_create(&cx, &mut draft)).await;

    let HookError::Failed(failure) = answer.unwrap_err() else {
        panic!("expected a failure")
    };
    assert_eq!(failure.reason, "deadline of 250ms exceeded");
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "it took {:?}",
        started.elapsed()
    );
    assert!(beats > 20, "another task had its turn only {beats} times");
}

#[tokio::test]
async fn a_guest_that_takes_memory_without_end_is_stopped() {
    let ((reason, _), beats) = beats_during(failure("memory", PATIENT)).await;

    assert_eq!(reason, "memory limit of 64 MiB exceeded");
    assert!(beats > 0);
}

#[tokio::test]
async fn a_panic_is_a_trap_and_its_text_is_logged() {
    let (reason, lines) = failure("trap", PATIENT).await;

    assert_eq!(reason, "trap: wasm `unreachable` instruction executed");
    let [(Level::Error, line)] = &lines[..] else {
        panic!("expected one error, got {lines:?}")
    };
    assert!(line.contains("the hostile plugin panics"), "{line}");
}

#[tokio::test]
async fn an_endless_recursion_is_a_trap() {
    let (reason, _) = failure("recursion", PATIENT).await;

    // Which of the two stacks ends first, the guest's own or ours, is the compiler's choice.
    let ends = [
        "trap: call stack exhausted",
        "trap: out of bounds memory access",
    ];
    assert!(ends.contains(&reason.as_str()), "{reason}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_a_failure() {
    let (huge, _) = failure("huge", PATIENT).await;
    let (enormous, _) = failure("enormous", PATIENT).await;

    assert_eq!(huge, "result of 1048588 bytes: expected at most 256 KiB");
    assert!(
        enormous.starts_with("trap: too much data is being copied"),
        "{enormous}"
    );
}

#[tokio::test]
async fn a_rejection_outside_the_4xx_is_a_failure() {
    let (reason, _) = failure("bad_status", PATIENT).await;

    assert_eq!(reason, "rejection with status 500: expected 400 to 499");
}

#[tokio::test]
async fn of_10_000_lines_a_call_logs_64_of_4_kib_and_no_more() {
    let host = FakeHost::new();
    let plugin = load(
        "roster-hostile-plugin",
        json!({ "mode": "chatter" }),
        PATIENT,
        &host,
    )
    .await;
    let hooks = plugin.unwrap().hooks.unwrap();
    let cx = testing::context(Event::BeforeCreate, &host);

    hooks
        .before_create(&cx, &mut testing::draft(json!({})))
        .await
        .unwrap();

    let lines = host.lines();
    assert_eq!(lines.len(), 65);
    assert!(lines.iter().all(|(_, line)| line.len() <= 4 << 10));
    assert_eq!(lines[64].1, "further lines of this call are left out");
}

#[tokio::test]
async fn a_plugin_serves_again_after_any_number_of_crashes() {
    let host = FakeHost::new();
    let plugin = load(
        "roster-hostile-plugin",
        json!({ "mode": "trap" }),
        PATIENT,
        &host,
    )
    .await;
    let good = load(
        "roster-hostile-plugin",
        json!({ "mode": "behave" }),
        PATIENT,
        &host,
    )
    .await;
    let (bad, good) = (plugin.unwrap().hooks.unwrap(), good.unwrap().hooks.unwrap());
    let cx = testing::context(Event::BeforeCreate, &host);

    for _ in 0..300 {
        bad.before_create(&cx, &mut testing::draft(json!({})))
            .await
            .unwrap_err();
    }

    assert_eq!(
        good.before_create(&cx, &mut testing::draft(json!({})))
            .await,
        Ok(())
    );
}

#[tokio::test]
async fn a_guest_finds_no_files_environment_input_or_network() {
    let host = FakeHost::new();
    let plugin = load(
        "roster-hostile-plugin",
        json!({ "mode": "spy" }),
        PATIENT,
        &host,
    )
    .await;
    let cx = testing::context(Event::BeforeCreate, &host);
    let mut draft = testing::draft(json!({}));

    plugin
        .unwrap()
        .hooks
        .unwrap()
        .before_create(&cx, &mut draft)
        .await
        .unwrap();

    assert_eq!(draft.text("title"), Some("found: "));
}

#[tokio::test]
async fn a_table_has_no_more_elements_than_it_may() {
    let host = FakeHost::new();
    let limits = Limits {
        table_elements: 10,
        ..PATIENT
    };

    let loaded = load(
        "roster-hostile-plugin",
        json!({ "mode": "behave" }),
        limits,
        &host,
    )
    .await;

    let error = loaded.err().unwrap().to_string();
    let expected = "cannot say what it is: table limit of 10 elements exceeded";
    assert!(error.ends_with(expected), "{error}");
}

#[tokio::test]
async fn a_guest_that_asks_the_host_without_end_is_stopped() {
    let limits = Limits {
        timeout: Duration::from_millis(250),
        ..PATIENT
    };
    let ((reason, _), beats) = beats_during(failure("flood", limits)).await;

    assert_eq!(reason, "deadline of 250ms exceeded");
    assert!(beats > 20, "another task had its turn only {beats} times");
}

/// A host that panics when it is asked to log.
struct Broken;

impl Host for Broken {
    fn log(&self, _level: Level, _message: &str) {
        panic!("the host is broken");
    }

    fn now(&self) -> String {
        String::new()
    }

    fn random(&self, _count: u32) -> Vec<u8> {
        Vec::new()
    }
}

#[tokio::test]
async fn a_panic_of_the_host_ends_the_call_and_nothing_else() {
    let host = FakeHost::new();
    let plugin = load(
        "roster-hostile-plugin",
        json!({ "mode": "chatter" }),
        PATIENT,
        &host,
    )
    .await;
    let hooks = plugin.unwrap().hooks.unwrap();
    let mut cx = testing::context(Event::BeforeCreate, &host);
    cx.host = Arc::new(Broken);

    let answer = hooks
        .before_create(&cx, &mut testing::draft(json!({})))
        .await;
    cx.host = host;
    let next = hooks
        .before_create(&cx, &mut testing::draft(json!({})))
        .await;

    assert_eq!(
        answer,
        Err(HookError::Failed(Failure::new("trap: the host panicked")))
    );
    assert_eq!(next, Ok(()));
}
