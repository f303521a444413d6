//! `fleetctl diff` as a program: what it reads, prints and returns.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder of files, and the program in it.
struct Lab(TempDir);

struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    fn lines(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Lab {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetctl"));
        command
            .current_dir(self.0.path())
            .arg("diff")
            .args(words.split_whitespace());
        command.env_remove("NO_COLOR").env_remove("KUBECONFIG");
        command
    }

    fn run(&self, words: &str) -> Answer {
        self.feed(words, b"")
    }

    fn feed(&self, words: &str, input: &[u8]) -> Answer {
        let mut command = self.command(words);
        let all = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = all.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // A program that reads nothing is gone before.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Answer {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:1'}]}
";

const SECRET: &str = "
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: hunter2}
";

const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {plural: widgets, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, default: 3}
              mode: {type: string}
";

const WIDGET: &str = "
apiVersion: example.com/v1
kind: Widget
metadata: {name: a, namespace: nobody-needs-one}
spec: {mode: fast}
";

/// What a server would have after the program's own apply.
fn applied(lab: &Lab, definition: &str, edit: impl FnOnce(&mut Value)) -> PathBuf {
    lab.file("before.yaml", definition);
    let mut value = lab
        .run("--desired before.yaml --output json --show-secrets")
        .json()["predicted"]
        .take();
    edit(&mut value);
    lab.file("live.json", value.to_string())
}

#[test]
fn a_definition_is_created_kept_and_changed() {
    let lab = Lab::new();
    lab.file("web.yaml", DEPLOYMENT);
    let create = lab.run("--desired web.yaml --output json");
    let report = create.json();
    assert_eq!(
        (create.code, &report["action"]),
        (2, &json!("create")),
        "{}",
        create.err
    );
    assert_eq!(report["predicted"]["spec"]["replicas"], 1);
    assert_eq!(
        report["predicted"]["metadata"]["managedFields"][0]["manager"],
        "fleetctl"
    );
    let text = lab.run("--desired web.yaml");
    assert_eq!(text.code, 2);
    assert_eq!(
        text.out,
        "\
+ create Deployment.apps shop/web: there is none yet
  + .spec.selector: {\"matchLabels\":{\"app\":\"web\"}}
  + .spec.template.metadata.labels.app: \"web\"
  + .spec.template.spec.containers[name=\"web\"].image: \"web:1\"
  + .spec.template.spec.containers[name=\"web\"].name: \"web\"
"
    );

    applied(&lab, DEPLOYMENT, |_| {});
    let none = lab.run("--desired web.yaml --live live.json");
    assert_eq!(none.code, 0, "{}", none.out);
    assert!(
        none.out
            .starts_with("= none Deployment.apps shop/web: nothing would change\n"),
        "{}",
        none.out
    );
    let all = lab.run("--desired web.yaml --live live.json --all");
    assert!(
        all.out.lines().count() > 10 && all.out.contains("  = .spec.replicas: 1  (default)\n"),
        "{}",
        all.out
    );
    // Somebody else's definition of the same.
    let adopt = lab.run("--desired web.yaml --live live.json --manager other --output json");
    assert_eq!((adopt.code, &adopt.json()["action"]), (0, &json!("adopt")));

    lab.file("web.yaml", DEPLOYMENT.replace("web:1", "web:2"));
    let update = lab.run("--desired web.yaml --live live.json");
    assert_eq!(update.code, 2);
    assert!(update.out.starts_with(
        "~ update Deployment.apps shop/web: 1 field would change\n  ~ .spec.template.spec.containers[name=\"web\"].image: \"web:1\" → \"web:2\"\n"
    ), "{}", update.out);
}

#[test]
fn conflicts_and_fields_that_never_change_are_told() {
    let lab = Lab::new();
    lab.file(
        "web.yaml",
        DEPLOYMENT.replace("spec:\n  selector", "spec:\n  replicas: 2\n  selector"),
    );
    applied(&lab, DEPLOYMENT, |live| {
        live["spec"]["replicas"] = json!(3);
        live["metadata"]["managedFields"]
            .as_array_mut()
            .unwrap()
            .push(json!({
                "manager": "hpa", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {"f:replicas": {}}},
            }));
    });
    let words = "--desired web.yaml --live live.json --output json";
    let conflict = lab.run(words);
    let report = conflict.json();
    assert_eq!((conflict.code, &report["action"]), (2, &json!("blocked")));
    assert_eq!(
        report["conflicts"],
        json!([{"manager": "hpa", "path": ".spec.replicas"}])
    );
    assert_eq!(report["predicted"], Value::Null);
    let forced = lab.run(&format!("{words} --force")).json();
    assert_eq!(
        (&forced["action"], &forced["predicted"]["spec"]["replicas"]),
        (&json!("update"), &json!(2))
    );
    lab.file(
        "rules.yaml",
        "- {id: scaled, path: .spec.replicas, do: keep-live}",
    );
    let ruled = lab.run(&format!("{words} --rules rules.yaml")).json();
    let kept = ruled["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|field| field["path"] == ".spec.replicas");
    let kept = kept.unwrap();
    assert_eq!(
        (&kept["verdict"], &kept["rule"]),
        (&json!("kept-write-once"), &json!("scaled"))
    );

    lab.file("web.yaml", DEPLOYMENT.replace("{app: web}", "{app: api}"));
    let recreate = lab.run(words);
    let report = recreate.json();
    assert_eq!((recreate.code, &report["action"]), (2, &json!("recreate")));
    assert_eq!(
        report["blocked"],
        json!([{"path": ".spec.selector", "problem": "cannot change in place", "rule": "deployment/selector"}])
    );
    lab.file("web.yaml", DEPLOYMENT.replace("selector:", "selektor:"));
    let refused = lab.run("--desired web.yaml --live live.json");
    assert!(
        refused
            .out
            .starts_with("! blocked Deployment.apps shop/web: .spec.selektor is not a field of its schema\n"),
        "{}",
        refused.out
    );
}

#[test]
fn values_of_secrets_show_only_when_asked_for() {
    let lab = Lab::new();
    let hunter2 = "aHVudGVyMg==";
    lab.file("secret.yaml", SECRET.replace("hunter2", "hunter3"));
    applied(&lab, SECRET, |live| {
        let last = json!({"stringData": {"password": "hunter2"}}).to_string();
        live["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": last});
    });
    let words = "--desired secret.yaml --live live.json";
    let question = |name: &str| fs::read_to_string(lab.0.path().join(name)).unwrap();
    let line = json!({
        "desired": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "shop"},
            "stringData": {"password": "hunter3"}},
        "live": serde_json::from_str::<Value>(&question("live.json")).unwrap(),
    });
    let line = format!("{line}\n");
    let hidden = [
        lab.run(words),
        lab.run(&format!("{words} --all")),
        lab.run(&format!("{words} --output json")),
        lab.feed("--batch", line.as_bytes()),
    ];
    for answer in &hidden {
        assert_eq!(answer.code, 2, "{}", answer.err);
        for secret in ["hunter", "aHVu"] {
            assert!(!answer.out.contains(secret), "{}", answer.out);
        }
        assert!(answer.out.contains("(secret, changed)"), "{}", answer.out);
    }
    assert_eq!(hidden[2].json()["predicted"]["data"]["password"], "(secret)");
    for shown in [
        lab.run(&format!("{words} --all --show-secrets")),
        lab.run(&format!("{words} --output json --show-secrets")),
        lab.feed("--batch --show-secrets", line.as_bytes()),
    ] {
        assert!(
            shown.out.contains(hunter2) && shown.out.contains("aHVudGVyMw=="),
            "{}",
            shown.out
        );
    }
    lab.file(
        "rules.json",
        r#"[{"id": "s", "path": ".data.mode", "do": "ours", "sensitive": true}]"#,
    );
    lab.file(
        "map.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {mode: hunter2, b: open}}",
    );
    let map = lab.run("--desired map.yaml --rules rules.json --output json");
    assert!(
        !map.out.contains("hunter") && map.out.contains("open"),
        "{}",
        map.out
    );
}

#[test]
fn custom_kinds_are_known_by_what_is_given() {
    let lab = Lab::new();
    lab.file("widget.yaml", WIDGET);
    let unknown = lab.run("--desired widget.yaml");
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.out.starts_with(
            "? unsure Widget.example.com nobody-needs-one/a: no schema of example.com/v1 Widget is known\n"
        ),
        "{}",
        unknown.out
    );
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
    lab.file("crds.yaml", format!("{namespace}---{CRD}"));
    let known = lab
        .run("--desired widget.yaml --schema crds.yaml --output json")
        .json();
    assert_eq!(
        (&known["action"], &known["unsure"]),
        (&json!("create"), &Value::Null)
    );
    assert_eq!(known["predicted"]["spec"], json!({"mode": "fast", "size": 3}));
    assert_eq!(
        known["predicted"]["metadata"].get("namespace"),
        None,
        "it is in none"
    );

    let list = json!({"apiVersion": "v1", "kind": "List", "items": [yaml(CRD)]});
    lab.file("list.json", list.to_string());
    lab.file("plain.json", json!([yaml(CRD)]).to_string());
    for file in ["list.json", "plain.json"] {
        let again = lab
            .run(&format!("--desired widget.yaml --schema {file} --output json"))
            .json();
        assert_eq!(again, known, "{file}");
    }
}

fn yaml(text: &str) -> Value {
    let found = fleet_diff::read_values(text, &fleet_diff::ReadLimits::default()).unwrap();
    found.into_iter().next().unwrap().value
}

/// A document of a server, with one kind.
fn openapi(version: &str) -> Value {
    let gvk = json!([{"group": "example.org", "version": "v1", "kind": "Gadget"}]);
    json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": version},
        "components": {"schemas": {"org.example.v1.Gadget": {
            "type": "object", "x-kubernetes-group-version-kind": gvk,
            "properties": {
                "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
                "size": {"type": "integer", "default": 7},
            },
        }}},
    })
}

#[test]
fn documents_of_a_server_choose_the_built_in_kinds() {
    let lab = Lab::new();
    lab.file(
        "gadget.yaml",
        "{apiVersion: example.org/v1, kind: Gadget, metadata: {name: a}, size: 2}",
    );
    lab.file(
        "wrong.yaml",
        "{apiVersion: example.org/v1, kind: Gadget, metadata: {name: a}, colour: red}",
    );
    // Built in since 1.37.
    lab.file(
        "migration.yaml",
        "{apiVersion: storagemigration.k8s.io/v1, kind: StorageVersionMigration, metadata: {name: a}, spec: {resource: {group: a, resource: b}}}",
    );
    for (version, options, expect) in [
        ("v1.36.3", "", "unsure"),
        ("v1.37.2", "", "create"),
        ("v1.99.0", "", "create"),
        ("unversioned", "", "create"),
        ("v1.37.2", "--kubernetes 1.36", "unsure"),
    ] {
        lab.file("openapi.json", openapi(version).to_string());
        let words = format!("--schema openapi.json {options} --output json");
        let gadget = lab.run(&format!("--desired gadget.yaml {words}")).json();
        // A document says what is wrong, and not how its server stores what is right.
        assert_eq!(gadget["action"], "unsure");
        assert_eq!(
            gadget["unsure"],
            "how the server of example.org/v1 Gadget stores what is written is not known"
        );
        let wrong = lab.run(&format!("--desired wrong.yaml {words}")).json();
        assert_eq!(wrong["action"], "blocked");
        let migration = lab.run(&format!("--desired migration.yaml {words}")).json();
        assert_eq!(migration["action"], expect, "{version} {options}");
    }
    let words = "--desired migration.yaml --output json";
    assert_eq!(lab.run(words).json()["action"], "create", "the newest");
    assert_eq!(
        lab.run(&format!("{words} --kubernetes 1.36")).json()["action"],
        "unsure"
    );
}

#[test]
fn admission_makes_unsure() {
    let lab = Lab::new();
    lab.file(
        "map.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b}}",
    );
    lab.file(
        "hooks.yaml",
        "
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: mesh}
webhooks:
- {name: inject.example.com, rules: [{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [configmaps]}]}
",
    );
    let report = lab
        .run("--desired map.yaml --admission hooks.yaml --output json")
        .json();
    assert_eq!(
        (&report["action"], &report["unsure"]),
        (
            &json!("unsure"),
            &json!("the mutating webhook inject.example.com may change what is written")
        )
    );
    let error = lab.run("--desired map.yaml --admission map.yaml");
    assert_eq!(
        (error.code, error.err.contains("map.yaml:1: is none of")),
        (1, true),
        "{}",
        error.err
    );
}

#[test]
fn batches_go_on_after_broken_lines() {
    let lab = Lab::new();
    let map = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}, "data": data});
    let mut live = map(json!({"k": "1", "old": "2"}));
    live["metadata"]["managedFields"] = json!([{
        "manager": "writer", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {".": {}, "f:k": {}, "f:old": {}}},
    }]);
    let ask = |desired: Value, live: Value, more: Value| {
        let mut line = json!({"desired": desired, "live": live});
        line.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        line.to_string()
    };
    let mut other = live.clone();
    other["metadata"]["name"] = json!("c");
    let deep = format!("{{\"desired\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let large = ask(map(json!({"k": "x".repeat(3_000_000)})), Value::Null, json!({}));
    let huge = ask(map(json!({"k": "x".repeat(17 << 20)})), Value::Null, json!({}));
    let memory = json!({"f:data": {"f:k": {}, "f:old": {}}});
    let lines = [
        (
            ask(
                map(json!({"k": "1"})),
                Value::Null,
                json!({"class": "passed over"}),
            ),
            "create",
        ),
        (
            "{\"desired\": {\"hunter2\"".to_owned(),
            "column 22: not valid JSON: the text ends too early",
        ),
        (String::new(), "column 1: not valid JSON: the text ends too early"),
        ("[]".to_owned(), "not a mapping with `desired` and `live`"),
        (
            "{desired: yaml}".to_owned(),
            "column 2: not valid JSON: a character stands in a wrong place",
        ),
        ("{\"live\": null}".to_owned(), "`desired` is missing"),
        (
            ask(json!({"hunter2": 1}), Value::Null, json!({})),
            "`desired`: `apiVersion` is missing or empty",
        ),
        (
            ask(map(json!({})), json!("hunter2"), json!({})),
            "`live`: not an object: expected a mapping with apiVersion, kind and metadata",
        ),
        (
            ask(map(json!({})), Value::Null, json!({"manager": 5})),
            "`manager` is not a text",
        ),
        (
            ask(map(json!({})), Value::Null, json!({"force": "hunter2"})),
            "`force` is neither true nor false",
        ),
        (
            ask(map(json!({})), Value::Null, json!({"memory": {"hunter2": {}}})),
            "`memory` is not a FieldsV1 set",
        ),
        (
            ask(map(json!({})), other, json!({})),
            "the live object is ConfigMap b/c, and the desired one ConfigMap b/a",
        ),
        (
            "{\"desired\": {\"a\": 1, \"a\": 2}}".to_owned(),
            "column 24: this key is already in the mapping",
        ),
        (deep, "column 112: too much: more than 100 levels of nesting"),
        (huge, "longer than 16777216 bytes"),
        (large, "create"),
        (
            ask(map(json!({"k": "2", "old": "2"})), live.clone(), json!({})),
            "blocked",
        ),
        (
            ask(
                map(json!({"k": "2", "old": "2"})),
                live.clone(),
                json!({"force": true}),
            ),
            "update",
        ),
        (
            ask(
                map(json!({"k": "1", "old": "2"})),
                live.clone(),
                json!({"manager": null}),
            ),
            "adopt",
        ),
        (
            ask(
                map(json!({"k": "1"})),
                live.clone(),
                json!({"memory": memory, "manager": "writer"}),
            ),
            "adopt",
        ),
    ];
    let mut input: Vec<u8> = Vec::new();
    for (line, _) in &lines {
        input.extend(line.as_bytes());
        input.push(b'\n');
    }
    input.extend(b"\xff");
    let answer = lab.feed("--batch", &input);
    assert_eq!((answer.code, &*answer.err), (1, ""));
    let found = answer.lines();
    assert_eq!(found.len(), lines.len() + 1);
    for (i, ((line, expect), found)) in lines.iter().zip(&found).enumerate() {
        let line = line.chars().take(200).collect::<String>();
        match found.get("error") {
            Some(error) => assert_eq!(found, &json!({"error": expect, "line": i + 1}), "{line}: {error}"),
            None => assert_eq!(found["action"], *expect, "{line}"),
        }
    }
    assert_eq!(
        found.last().unwrap(),
        &json!({"error": "column 1: not UTF-8", "line": lines.len() + 1})
    );
    assert!(!answer.out.contains("hunter"), "nothing is quoted");

    let (create, _) = &lines[0];
    assert_eq!(
        lab.feed("--batch", create.as_bytes()).code,
        2,
        "without a line break at the end"
    );
    let (adopt, _) = &lines[lines.len() - 1];
    assert_eq!(lab.feed("--batch", adopt.as_bytes()).code, 0);
    assert_eq!(lab.feed("--batch", b"").code, 0);
    let forced = lab.feed("--batch --force --manager m", lines[16].0.as_bytes());
    assert_eq!(
        forced.lines()[0]["action"],
        "update",
        "the command line says what lines do not"
    );
}

#[test]
fn batches_answer_each_line_at_once() {
    let lab = Lab::new();
    let mut child = lab
        .command("--batch")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        let line = json!({"desired": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}, "live": null});
        writeln!(stdin, "{line}").unwrap();
        let mut answer = String::new();
        out.read_line(&mut answer).unwrap();
        assert!(answer.starts_with(r#"{"action":"create","fields":["#), "{answer}");
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn bad_input_is_named_with_its_place() {
    let lab = Lab::new();
    lab.file("good.yaml", SECRET);
    lab.file("broken.yaml", "apiVersion: v1\nstringData: {hunter2: [");
    lab.file("two.yaml", format!("{SECRET}---{SECRET}"));
    lab.file("list.yaml", "{apiVersion: v1, kind: List, items: []}");
    lab.file("empty.yaml", "# nothing\n");
    lab.file("twice.json", "{\n  \"hunter2\": 1,\n  \"hunter2\": 2\n}");
    lab.file("deep.json", "[".repeat(10_000) + &"]".repeat(10_000));
    lab.file("bytes.yaml", b"a: b\nc: \xff\xfe hunter2\n");
    lab.file("other.yaml", SECRET.replace("db", "other"));
    lab.file("old.yaml", DEPLOYMENT.replace("apps/v1", "apps/v1beta1"));
    lab.file("web.yaml", DEPLOYMENT);
    lab.file("text.yaml", "hunter2");
    lab.file("v2.json", r#"{"swagger": "2.0", "paths": {}}"#);
    lab.file(
        "crd.yaml",
        CRD.replace("type: integer", "x-kubernetes-list-type: hunter"),
    );
    lab.file("rules.yaml", "- {id: a, path: spec, do: ignore}");
    for (words, expect) in [
        (
            "--desired missing.yaml",
            "missing.yaml: cannot be read: No such file or directory",
        ),
        ("--desired broken.yaml", "broken.yaml:2:"),
        (
            "--desired two.yaml",
            "two.yaml:7: has 2 objects in it, and there must be one",
        ),
        ("--desired list.yaml", "list.yaml: has no object in it"),
        ("--desired empty.yaml", "empty.yaml: has no object in it"),
        (
            "--desired good.yaml --live empty.yaml",
            "empty.yaml: has no object in it",
        ),
        (
            "--desired twice.json",
            "twice.json:3:11: this key is already in the mapping",
        ),
        (
            "--desired deep.json",
            "deep.json:1:101: too much: more than 100 levels of nesting",
        ),
        ("--desired bytes.yaml", "bytes.yaml:2: is not UTF-8"),
        ("--desired /dev/zero", "/dev/zero: is larger than 67108864 bytes"),
        ("--desired .", ".: cannot be read"),
        (
            "--desired good.yaml --live other.yaml",
            "the live object is Secret shop/other, and the desired one Secret shop/db",
        ),
        (
            "--desired web.yaml --live old.yaml",
            "the live object was read at apps/v1beta1, and the desired one is written at apps/v1",
        ),
        (
            "--desired good.yaml --schema good.yaml",
            "good.yaml: has neither an OpenAPI v3 document nor a CustomResourceDefinition in it",
        ),
        (
            "--desired good.yaml --schema text.yaml",
            "text.yaml:1: the document: is neither an OpenAPI v3 document nor",
        ),
        (
            "--desired good.yaml --schema v2.json",
            "v2.json:1: the document: is OpenAPI v2",
        ),
        (
            "--desired good.yaml --schema crd.yaml",
            "crd.yaml:2: CustomResourceDefinition.apiextensions.k8s.io widgets.example.com",
        ),
        (
            "--desired good.yaml --rules rules.yaml",
            "rules.yaml: not rules: line 1: ",
        ),
        ("--desired good.yaml --kubernetes 1.2", "invalid value '1.2'"),
        ("--desired good.yaml --batch", "cannot be used with"),
        ("", "--desired <FILE>"),
    ] {
        let answer = lab.run(words);
        assert_eq!((answer.code, &*answer.out), (1, ""), "{words}");
        assert!(answer.err.contains(expect), "{words}: {}", answer.err);
        assert!(!answer.err.contains("hunter2"), "{words}: {}", answer.err);
    }
    let help = lab.run("--help");
    assert_eq!((help.code, help.out.contains("--show-secrets")), (0, true));
}
