//! `POST /permissions/explain`: what is said is what is enforced.

use roster_tests::{Client, Setup, TestServer};
use serde_json::{Value as Json, json};

async fn explain(client: &Client, body: Json) -> Json {
    client.post("/permissions/explain", body).await.data()
}

/// What is said of a policy.
fn of<'j>(said: &'j Json, policy: &Json) -> &'j Json {
    let policies = said["policies"].as_array().expect("policies").iter();
    let mut found = policies.filter(|held| held["policy"] == *policy);
    found.next().expect("the policy")
}

struct World {
    server: TestServer,
    admin: Client,
    mia: Client,
    policy: Json,
}

/// Mia may read active users, of her own record a little more, and change her title.
async fn world() -> World {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mia = server.member("mia").await;
    let own = json!({ "id": { "_eq": "$CURRENT_USER" } });
    let active = json!({ "_and": [{ "status": { "_eq": "active" } }, { "email": { "_ends_with": "@example.com" } }] });
    let policy = json!({
        "name": "staff",
        "permissions": [
            { "collection": "directus_users", "action": "read", "permissions": active, "fields": ["id", "email"] },
            { "collection": "directus_users", "action": "read", "permissions": own, "fields": ["location"] },
            { "collection": "directus_users", "action": "update", "permissions": own, "fields": ["title"], "presets": { "description": "x" } },
        ],
    });
    let policy = admin.post("/policies", policy).await.data()["id"].clone();
    admin
        .post("/access", json!({ "policy": policy, "user": mia.id }))
        .await
        .data();
    let mia = server.sign_in(&mia.email).await;
    World {
        server,
        admin,
        mia,
        policy,
    }
}

#[tokio::test]
async fn a_decision_is_explained_by_policy_rule_clause_and_field() {
    let World {
        server: _server,
        admin,
        mia,
        policy,
    } = world().await;
    let other = json!({ "email": "ada@example.org", "status": "draft" });
    let other = admin.post("/users", other).await.data()["id"].clone();

    let own = explain(&admin, json!({ "user": mia.id, "action": "read", "collection": "users", "id": mia.id, "fields": ["email", "location"] })).await;
    let others = explain(
        &admin,
        json!({ "user": mia.id, "action": "read", "collection": "users", "id": other }),
    )
    .await;
    let all = explain(
        &admin,
        json!({ "user": mia.id, "action": "read", "collection": "users" }),
    )
    .await;
    let title = explain(&admin, json!({ "user": mia.id, "action": "update", "collection": "users", "id": mia.id, "fields": ["title"] })).await;
    let role = explain(&admin, json!({ "user": mia.id, "action": "update", "collection": "users", "id": mia.id, "fields": ["role"] })).await;
    let create = explain(
        &admin,
        json!({ "user": mia.id, "action": "create", "collection": "users" }),
    )
    .await;
    let boss = explain(
        &admin,
        json!({ "user": admin.id, "action": "delete", "collection": "roles" }),
    )
    .await;

    assert_eq!(own["decision"], "allow");
    assert_eq!(of(&own, &policy)["through"], json!({ "user": mia.id }));
    assert_eq!(own["fields"]["location"]["access"], "allow");
    assert_eq!(
        own["rules"][1]["clauses"],
        json!([{
            "path": "id", "clause": { "id": { "_eq": "$CURRENT_USER" } }, "holds": true, "means": { "id": { "_eq": mia.id } },
        }])
    );
    assert_eq!(others["decision"], "deny");
    let clauses: Vec<(&Json, &Json)> = others["rules"][0]["clauses"]
        .as_array()
        .expect("clauses")
        .iter()
        .map(|clause| (&clause["path"], &clause["holds"]))
        .collect();
    assert_eq!(
        json!(clauses),
        json!([["_and[0].status", false], ["_and[1].email", false]])
    );
    assert_eq!(all["decision"], "partial");
    assert_eq!(all["fields"]["location"]["access"], "partial");
    assert_eq!(all["fields"]["email"]["access"], "partial");
    assert_eq!(all["fields"]["token"]["access"], "deny");
    assert_eq!(title["decision"], "allow");
    assert_eq!(title["presets"], json!({ "description": "x" }));
    assert_eq!(role["decision"], "deny");
    assert!(
        role["reason"]
            .as_str()
            .expect("a reason")
            .contains("\"role\"")
    );
    assert_eq!(create["decision"], "deny");
    assert!(
        create["reason"]
            .as_str()
            .expect("a reason")
            .contains("No rule")
    );
    assert_eq!(boss["decision"], "allow");
    assert!(
        boss["reason"]
            .as_str()
            .expect("a reason")
            .contains("admin_access")
    );
}

#[tokio::test]
async fn addresses_statuses_and_second_factors_are_said() {
    let World {
        server: _server,
        admin,
        mia,
        policy,
    } = world().await;
    let near = json!({ "ip_access": ["10.0.0.0/8"] });
    admin
        .patch(
            &format!("/policies/{}", policy.as_str().expect("an id")),
            near,
        )
        .await
        .data();
    let ask =
        |ip: &str| json!({ "user": mia.id, "action": "read", "collection": "users", "ip": ip });

    let far = explain(&admin, ask("192.0.2.1")).await;
    let near = explain(&admin, ask("10.1.2.3")).await;
    let enforce = json!({ "ip_access": null, "enforce_tfa": true });
    admin
        .patch(
            &format!("/policies/{}", policy.as_str().expect("an id")),
            enforce,
        )
        .await
        .data();
    let due = explain(&admin, ask("10.1.2.3")).await;
    admin
        .patch(
            &format!("/users/{}", mia.id),
            json!({ "status": "suspended" }),
        )
        .await
        .data();
    let suspended = explain(&admin, ask("10.1.2.3")).await;
    let public = explain(
        &admin,
        json!({ "public": true, "action": "read", "collection": "users" }),
    )
    .await;

    assert_eq!(
        (&far["decision"], &of(&far, &policy)["holds"]),
        (&json!("deny"), &json!(false))
    );
    assert!(
        of(&far, &policy)["why_not"]
            .as_str()
            .expect("why")
            .contains("192.0.2.1")
    );
    assert_eq!(near["decision"], "partial");
    assert!(
        due["reason"]
            .as_str()
            .expect("a reason")
            .contains("second factor"),
        "{due}"
    );
    assert_eq!(due["decision"], "deny");
    assert!(
        suspended["reason"]
            .as_str()
            .expect("a reason")
            .contains("suspended")
    );
    assert_eq!(public["decision"], "deny");
}

#[tokio::test]
async fn roles_and_plugins_are_among_what_decides() {
    let server = Setup::new()
        .plugin(
            "business-hours",
            "source = 'builtin'\nconfig = { days = ['mon'], actions = ['update'] }",
        )
        .start()
        .await;
    let admin = server.admin().await;
    let parent = json!({ "name": "staff", "policies": [{ "policy": {
        "name": "read", "permissions": [{ "collection": "directus_roles", "action": "read", "permissions": {}, "fields": ["*"] }],
    } }] });
    let parent = admin.post("/roles", parent).await.data()["id"].clone();
    let child = json!({ "name": "desk", "parent": parent });
    let child = admin.post("/roles", child).await.data()["id"].clone();

    let inherited = explain(
        &admin,
        json!({ "role": child, "action": "read", "collection": "roles" }),
    )
    .await;
    let monday = explain(&admin, json!({ "user": admin.id, "action": "update", "collection": "users", "at": "2026-01-05T10:00:00Z" })).await;
    let sunday = explain(&admin, json!({ "user": admin.id, "action": "update", "collection": "users", "at": "2026-01-04T10:00:00Z" })).await;

    assert_eq!(inherited["decision"], "allow", "{inherited}");
    assert_eq!(
        inherited["policies"][0]["through"],
        json!({ "role": parent })
    );
    assert_eq!(inherited["principal"]["roles"], json!([parent, child]));
    assert_eq!(monday["decision"], "allow");
    assert_eq!(sunday["decision"], "deny");
    assert_eq!(sunday["plugins"][0]["plugin"], "business-hours");
    assert!(
        sunday["reason"]
            .as_str()
            .expect("a reason")
            .contains("business-hours")
    );
}

#[tokio::test]
async fn what_is_explained_is_what_happens() {
    let World {
        admin,
        mia,
        server,
        policy: _,
    } = world().await;
    let mut ids = vec![json!(admin.id), json!(mia.id)];
    for (name, status) in [
        ("a@example.com", "active"),
        ("b@example.com", "draft"),
        ("c@example.org", "active"),
    ] {
        let user = json!({ "email": name, "status": status });
        ids.push(admin.post("/users", user).await.data()["id"].clone());
    }
    let stranger = server.stranger();
    for (who, client) in [
        (json!({ "user": mia.id }), &mia),
        (json!({ "user": admin.id }), &admin),
        (json!({ "public": true }), &stranger),
    ] {
        for id in &ids {
            let path = format!("/users/{}", id.as_str().expect("an id"));
            for (action, fields, got) in [
                ("read", json!([]), client.get(&path).await),
                (
                    "read",
                    json!(["location"]),
                    client.get(&format!("{path}?fields=location")).await,
                ),
                (
                    "read",
                    json!(["token"]),
                    client.get(&format!("{path}?fields=token")).await,
                ),
                (
                    "update",
                    json!(["title"]),
                    client.patch(&path, json!({ "title": "x" })).await,
                ),
                (
                    "update",
                    json!(["title", "location"]),
                    client
                        .patch(&path, json!({ "title": "x", "location": "y" }))
                        .await,
                ),
            ] {
                let mut ask =
                    json!({ "action": action, "collection": "users", "id": id, "fields": fields });
                ask.as_object_mut()
                    .expect("an object")
                    .extend(who.as_object().expect("an object").clone());
                let said = explain(&admin, ask.clone()).await;
                let enforced = if got.status < 300 { "allow" } else { "deny" };
                assert_eq!(said["decision"], enforced, "{ask}: {said}\n{}", got.text);
            }
        }
    }
}

#[tokio::test]
async fn only_those_who_may_read_every_rule_are_told() {
    let World {
        admin,
        mia,
        server,
        policy,
    } = world().await;
    let ask = json!({ "user": mia.id, "action": "read", "collection": "users" });

    assert_eq!(
        mia.post("/permissions/explain", ask.clone())
            .await
            .outcome(),
        "403 FORBIDDEN"
    );
    assert_eq!(
        server
            .stranger()
            .post("/permissions/explain", ask.clone())
            .await
            .outcome(),
        "403 FORBIDDEN"
    );
    for collection in ["users", "roles", "policies", "access", "permissions"] {
        let rule = json!({ "policy": policy, "collection": format!("directus_{collection}"), "action": "read", "permissions": {}, "fields": ["*"] });
        assert_eq!(
            mia.post("/permissions/explain", ask.clone())
                .await
                .outcome(),
            "403 FORBIDDEN"
        );
        admin.post("/permissions", rule).await.data();
    }
    assert_eq!(mia.post("/permissions/explain", ask).await.outcome(), "200");
    let elsewhere = json!({ "user": mia.id, "action": "read", "collection": "settings" });
    assert_eq!(
        mia.post("/permissions/explain", elsewhere).await.outcome(),
        "403 FORBIDDEN"
    );
    for (body, said) in [
        (json!([]), "object"),
        (
            json!({ "user": mia.id, "public": true, "action": "read", "collection": "users" }),
            "one of",
        ),
        (
            json!({ "public": true, "action": "look", "collection": "users" }),
            "action",
        ),
        (
            json!({ "public": true, "action": "read", "collection": "things" }),
            "collection",
        ),
        (
            json!({ "public": true, "action": "read", "collection": "users", "ip": "here" }),
            "ip",
        ),
        (
            json!({ "public": true, "action": "read", "collection": "users", "at": "soon" }),
            "at",
        ),
        (
            json!({ "public": true, "action": "read", "collection": "users", "id": 3 }),
            "id",
        ),
        (
            json!({ "public": true, "action": "read", "collection": "users", "fields": ["nope"] }),
            "nope",
        ),
        (
            json!({ "public": true, "action": "read", "collection": "users", "where": 1 }),
            "where",
        ),
    ] {
        let refused = admin.post("/permissions/explain", body.clone()).await;
        assert_eq!(refused.outcome(), "400 INVALID_PAYLOAD", "{body}");
        assert!(refused.text.contains(said), "{body}: {}", refused.text);
    }
}
