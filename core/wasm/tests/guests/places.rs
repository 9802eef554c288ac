use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use roster_sdk::testing::{self, FakeHost};
use roster_sdk::{Event, Failure, HookError, Hooks, Value, json};
use roster_wasm::{Instances, Limits, Runtime, RuntimeSettings};

use crate::{PATIENT, build, load};

/// The hooks of the hostile plugin, on a runtime with so many places.
async fn hooks(places: u32, config: Value, limits: Limits) -> Arc<dyn Hooks> {
    let settings = RuntimeSettings {
        cache_dir: None,
        max_concurrent_calls: places,
    };
    let file = build::component("roster-hostile-plugin");
    let runtime = Runtime::new(settings).unwrap();
    let loaded = runtime
        .load("test", &file, config, limits, FakeHost::new())
        .await;
    loaded.unwrap().hooks.unwrap()
}

/// The answers of so many calls at once.
async fn answers(hooks: &Arc<dyn Hooks>, calls: usize) -> Vec<Result<(), HookError>> {
    let cx = testing::context(Event::BeforeCreate, &FakeHost::new());
    let mut drafts = vec![testing::draft(json!({})); calls];
    join_all(
        drafts
            .iter_mut()
            .map(|draft| hooks.before_create(&cx, draft)),
    )
    .await
}

#[tokio::test]
async fn calls_wait_for_a_free_place() {
    let hooks = hooks(2, json!({ "mode": "behave" }), PATIENT).await;

    assert_eq!(answers(&hooks, 50).await, vec![Ok(()); 50]);
}

#[tokio::test]
async fn the_wait_counts_as_time_of_the_call() {
    let limits = Limits {
        timeout: Duration::from_millis(100),
        ..PATIENT
    };
    let hooks = hooks(1, json!({ "mode": "loop" }), limits).await;

    let late = HookError::Failed(Failure::new("deadline of 100ms exceeded"));
    assert_eq!(answers(&hooks, 3).await, vec![Err(late); 3]);
}

#[tokio::test]
async fn instances_that_wait_for_their_calls_take_no_place_from_those_that_run() {
    /// More than may wait, whatever plugins they are of.
    const PLUGINS: usize = 70;
    let settings = RuntimeSettings {
        cache_dir: Some(build::guests().join("compiled")),
        max_concurrent_calls: 1,
    };
    let file = build::component("roster-hostile-plugin");
    let runtime = Runtime::new(settings).unwrap();
    let mut plugins = Vec::new();
    for _ in 0..PLUGINS {
        let config = json!({ "mode": "behave" });
        let loaded = runtime.load("test", &file, config, PATIENT, FakeHost::new());
        plugins.push(loaded.await.unwrap().hooks.unwrap());
    }

    for _ in 0..2 {
        for hooks in &plugins {
            assert_eq!(answers(hooks, 1).await, vec![Ok(())]);
        }
        // Until an instance was made for each of the next calls.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What one call of the plugin logs, with a host of its own.
async fn lines(hooks: &Arc<dyn Hooks>) -> Vec<String> {
    let host = FakeHost::new();
    let cx = testing::context(Event::BeforeCreate, &host);
    let mut draft = testing::draft(json!({}));
    hooks.before_create(&cx, &mut draft).await.unwrap();
    texts(&host)
}

fn texts(host: &FakeHost) -> Vec<String> {
    host.lines().into_iter().map(|(_, text)| text).collect()
}

#[tokio::test]
async fn an_instance_is_made_and_started_before_its_call_which_has_a_host_of_its_own() {
    let (config, started) = (json!({ "mode": "tell" }), FakeHost::new());
    let plugin = load("roster-hostile-plugin", config, PATIENT, &started).await;
    let hooks = plugin.unwrap().hooks.unwrap();

    // When it was loaded, and then ahead of each call but the first.
    for instance in 1..=3 {
        let until = tokio::time::Instant::now() + PATIENT.timeout;
        while texts(&started).len() < instance && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(texts(&started), vec!["started"; instance]);
        let seen = lines(&hooks).await;
        let expected = if instance == 1 {
            &["started", "called"][..]
        } else {
            &["called"]
        };
        assert_eq!(seen, expected, "call {instance}");
    }
}

#[tokio::test]
async fn a_plugin_that_does_not_start_ahead_is_left_alone_and_its_calls_go_on() {
    let limits = Limits {
        timeout: Duration::from_secs(1),
        ..PATIENT
    };
    let (config, started) = (json!({ "mode": "lurk" }), FakeHost::new());
    let plugin = load("roster-hostile-plugin", config, limits, &started).await;
    let hooks = plugin.unwrap().hooks.unwrap();

    for _ in 0..3 {
        for _ in 0..10 {
            assert_eq!(lines(&hooks).await, [""; 0]);
        }
        // Until one that is made ahead would have been stopped.
        tokio::time::sleep(limits.timeout + Duration::from_millis(100)).await;
        assert_eq!(texts(&started), ["again"]);
    }
}

#[tokio::test]
async fn a_pooled_instance_is_started_once() {
    let limits = Limits {
        instances: Instances::Pooled,
        ..PATIENT
    };
    let hooks = hooks(2, json!({ "mode": "tell" }), limits).await;

    assert_eq!(lines(&hooks).await, ["started", "called"]);
    for _ in 0..3 {
        assert_eq!(lines(&hooks).await, ["called"]);
    }
}

#[tokio::test]
async fn without_room_for_a_pool_each_call_maps_its_own_memory() {
    let hooks = hooks(100_000, json!({ "mode": "behave" }), PATIENT).await;

    assert_eq!(answers(&hooks, 5).await, vec![Ok(()); 5]);
}
