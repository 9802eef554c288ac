use insta::assert_snapshot;
use roster_tests::TestServer;
use serde_json::json;

#[tokio::test]
async fn a_list_is_sent_as_a_file_of_any_format() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let role = json!({"name": "R & D", "users": [{"title": "x", "first_name": "=1+\"1\"", "tags": ["a", "b"]}]});
    admin.post("/roles", role).await.data();
    admin
        .post(
            "/users",
            json!({"title": "x", "first_name": "Ünï", "last_name": "two\nlines"}),
        )
        .await
        .data();
    let file = async |format: &str| {
        let path = format!(
            "/users?filter[title]=x&fields=first_name,last_name,tags,role.name&sort=first_name&export={format}"
        );
        let answer = admin.get(&path).await;
        assert_eq!(answer.status, 200);
        let disposition = answer.header("content-disposition").to_owned();
        assert!(
            disposition.starts_with("attachment; filename=\"directus_users "),
            "{disposition}"
        );
        answer.text
    };

    assert_snapshot!(file("csv").await, @r#"
    "first_name","last_name","tags","role.name"
    "=1+""1""","","[""a"",""b""]","R & D"
    "Ünï","two
    lines","",""
    "#);
    assert_snapshot!(file("xml").await, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <data>
      <data>
        <first_name>=1+&quot;1&quot;</first_name>
        <last_name/>
        <role>
          <name>R &amp; D</name>
        </role>
        <tags>a</tags>
        <tags>b</tags>
      </data>
      <data>
        <first_name>Ünï</first_name>
        <last_name>two
    lines</last_name>
        <role/>
        <tags/>
      </data>
    </data>
    "#);
    assert_snapshot!(file("yaml").await, @r#"
    - first_name: "=1+\"1\""
      last_name: null
      role:
        name: "R & D"
      tags:
        - "a"
        - "b"
    - first_name: "Ünï"
      last_name: "two\nlines"
      role: null
      tags: null
    "#);
    let list: serde_json::Value = serde_json::from_str(&file("json").await).expect("JSON");
    assert_eq!(
        list[1],
        json!({"first_name": "Ünï", "last_name": "two\nlines", "tags": null, "role": null})
    );
    assert!(file("csv_utf8").await.starts_with('\u{feff}'));
}

#[tokio::test]
async fn a_long_export_is_whole() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let users: Vec<_> = (0..1_200)
        .map(|n| json!({"title": "x", "first_name": format!("{n:04}")}))
        .collect();
    admin.post("/users", json!(users)).await.data();

    let path = "/users?filter[title]=x&fields=first_name&sort=first_name&limit=-1&export=csv";
    let answer = admin.get(path).await;

    let text = answer.text;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1_201);
    assert_eq!((lines[1], lines[1_200]), ("\"0000\"", "\"1199\""));
    let some = admin
        .get(&path.replace("limit=-1", "limit=700&offset=600"))
        .await;
    let text = some.text;
    assert_eq!(text.lines().count(), 601);
}
