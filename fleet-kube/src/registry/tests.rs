//! Kubeconfigs and registry files, good and bad.

use std::fs;

use super::*;
use fleet_core::{ClusterId, LifeCycle, Taint, TaintEffect, Tick};

const KUBECONFIG: &str = r"
apiVersion: v1
kind: Config
clusters:
- name: eu
  cluster: {server: 'https://eu.example.com:6443', certificate-authority: pki/ca.pem}
- name: us
  cluster: {server: 'https://us.example.com'}
users:
- name: admin
  user: {token: hunter2}
- name: cloud
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, interactiveMode: Never}}
- name: old
  user: {auth-provider: {name: gcp}}
contexts:
- name: eu-1
  context: {cluster: eu, user: admin}
- name: us-1
  context: {cluster: us, user: cloud}
- name: us-2
  context: {cluster: us, user: old}
- name: half
  context: {cluster: us, user: nobody}
- name: broken
  context: {cluster: nowhere, user: admin}
";

const CA: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(kubeconfig: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("config", kubeconfig);
        folder.write("pki/ca.pem", CA);
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn registry(&self) -> KubeconfigRegistry {
        KubeconfigRegistry::new(self.0.path().join("config"))
    }
}

async fn names(registry: &KubeconfigRegistry) -> Vec<String> {
    registry
        .clusters()
        .await
        .unwrap()
        .into_iter()
        .map(|cluster| cluster.name)
        .collect()
}

#[tokio::test]
async fn contexts_are_clusters_and_changes_are_seen() {
    let folder = Folder::new(KUBECONFIG);
    let registry = folder.registry();
    assert_eq!(names(&registry).await, ["broken", "eu-1", "half", "us-1", "us-2"]);
    assert_eq!(names(&registry.clone().contexts(["us-1"])).await, ["us-1"]);

    folder.write("config", "contexts: [{name: x, context: {cluster: a, user: b}}]");
    assert_eq!(names(&registry).await, ["x"]);
    fs::remove_file(folder.0.path().join("config")).unwrap();
    assert!(registry.clusters().await.is_err());
    folder.write("config", KUBECONFIG);
    assert_eq!(names(&registry).await.len(), 5);
}

#[tokio::test]
async fn the_registry_file_describes() {
    let folder = Folder::new(KUBECONFIG);
    let registry = folder.registry();
    let text = "clusters:\n  eu-1:\n    uid: u-1\n    labels: {region: eu}\n    properties: {provider: x}\n    \
                cost: {cpu-hour: 31}\n    lifeCycle: draining\n    taints:\n    \
                - {key: example.com/hardware, value: old, effect: PreferNoSchedule}\n    \
                - {key: upgrade, effect: NoExecute, since: 2026-11-27T19:04:00Z}\n";
    folder.write("config.clusters.yaml", text);
    let clusters = registry.clusters().await.unwrap();
    let eu = clusters.iter().find(|cluster| cluster.name == "eu-1").unwrap();
    assert_eq!(eu.expected_id, Some(ClusterId::new("u-1")));
    assert_eq!(
        (eu.labels["region"].as_str(), eu.properties["provider"].as_str()),
        ("eu", "x")
    );
    assert_eq!((eu.cost["cpu-hour"], eu.life_cycle), (31, LifeCycle::Draining));
    let taints = [
        Taint::new("example.com/hardware", "old", TaintEffect::PreferNoSchedule),
        Taint::new("upgrade", "", TaintEffect::NoExecute).since(Tick(1_795_806_240_000)),
    ];
    assert_eq!(eu.taints, taints);
    assert_eq!(
        clusters
            .iter()
            .filter(|cluster| cluster.life_cycle == LifeCycle::Ready)
            .count(),
        4
    );

    // A moment without it does not end what it says.
    for text in ["", "# soon\n"] {
        folder.write("config.clusters.yaml", text);
        let unknown = registry.clusters().await.unwrap_err();
        let expect = "config.clusters.yaml: is gone or has no content any more";
        assert!(unknown.message().contains(expect), "{unknown}");
    }
    fs::remove_file(folder.0.path().join("config.clusters.yaml")).unwrap();
    let unknown = registry.clusters().await.unwrap_err();
    assert!(unknown.message().contains("is gone"), "{unknown}");
    folder.write("config.clusters.yaml", "{}");
    assert!(registry.clusters().await.is_ok());

    folder.write("other.yaml", "clusters: {eu-1: {labels: {region: other}}}");
    let other = registry.clone().registry_file(folder.0.path().join("other.yaml"));
    assert_eq!(other.clusters().await.unwrap()[1].labels["region"], "other");
    let absent = registry.registry_file(folder.0.path().join("absent.yaml"));
    assert!(
        absent
            .clusters()
            .await
            .unwrap_err()
            .message()
            .contains("absent.yaml")
    );
}

#[tokio::test]
async fn mistakes_are_unknown_with_file_and_line() {
    let good = "clusters: {}";
    let twice = format!("{KUBECONFIG}- name: eu-1\n  context: {{cluster: eu, user: admin}}\n");
    let cases: &[(&str, &str, &str)] = &[
        (
            KUBECONFIG,
            "clusters:\n  eu-1:\n    colour: red\n",
            "config.clusters.yaml:3: unknown field `colour`",
        ),
        (
            KUBECONFIG,
            "clusters:\n  eu-1:\n    taints:\n    - {key: a, effect: NoSelect}\n",
            "config.clusters.yaml:4: unknown variant `NoSelect`",
        ),
        (
            KUBECONFIG,
            "clusters:\n  eu-1:\n    taints:\n    - {key: a, effect: NoSchedule}\n    - {key: '', effect: NoSchedule}\n",
            "config.clusters.yaml:5: `taints` has a key that is not of letters",
        ),
        (
            KUBECONFIG,
            "clusters:\n  eu-1:\n    taints:\n    - {key: a, effect: NoSchedule, since: yesterday}\n",
            "config.clusters.yaml:4: `taints` has a taint since no moment",
        ),
        (
            KUBECONFIG,
            "clusters:\n  eu-1:\n    taints: [{key: a, effect: NoSchedule}, {key: a, value: b, effect: NoSchedule}]\n",
            "config.clusters.yaml:3: `taints` has two taints of one key and effect",
        ),
        (
            KUBECONFIG,
            "cluster:\n",
            "config.clusters.yaml:1: unknown field `cluster`",
        ),
        (
            KUBECONFIG,
            "clusters:\n  mars-1: {}\n",
            "config.clusters.yaml: `mars-1` is not a context of",
        ),
        (
            KUBECONFIG,
            "clusters:\n  eu-1:\n    lifeCycle: dead\n",
            "config.clusters.yaml:3: unknown variant `dead`",
        ),
        (
            KUBECONFIG,
            "clusters:\n  eu-1:\n    cost: {cpu: 0.5}\n",
            "config.clusters.yaml:3:",
        ),
        (KUBECONFIG, "clusters:\n  eu-1:\n    uid: ''\n", "`uid` is empty"),
        (&twice, good, "config: context `eu-1` is defined twice"),
        ("", good, "config: has no contexts"),
        ("users: []\n", good, "config: has no contexts"),
        ("contexts:\n- name: [hunter2\n", good, "is not a kubeconfig"),
        (
            "users:\n- name: a\n  user: {token: [hunter2]}\n",
            good,
            "is not a kubeconfig",
        ),
        ("hunter2", good, "is not a kubeconfig"),
    ];
    for (kubeconfig, registry, expect) in cases {
        let folder = Folder::new(kubeconfig);
        folder.write("config.clusters.yaml", registry);
        let unknown = folder.registry().clusters().await.unwrap_err();
        let words = format!("{unknown} {unknown:?}");
        assert!(
            words.contains(expect) && words.contains("config"),
            "expected {expect}: {words}"
        );
        let shown = format!("{words} {:?}", unknown.source());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let only = Folder::new(KUBECONFIG)
        .registry()
        .contexts(["mars-1"])
        .clusters()
        .await;
    assert!(
        only.unwrap_err()
            .message()
            .contains("there is no context `mars-1`")
    );
}

#[tokio::test]
async fn contexts_become_configurations() {
    let folder = Folder::new(KUBECONFIG);
    let registry = folder.registry();
    let config = registry.config_for(&Cluster::new("eu-1")).await.unwrap();
    assert_eq!(config.cluster_url.to_string(), "https://eu.example.com:6443/");
    assert!(config.root_cert.is_some(), "read relative to the kubeconfig");
    assert!(config.auth_info.token.is_some());

    let cases = [
        (
            "us-1",
            Remedy::Policy,
            "user `cloud` needs a credential plugin (`exec`)",
        ),
        (
            "us-2",
            Remedy::Policy,
            "user `old` needs a credential plugin (`auth-provider`)",
        ),
        (
            "half",
            Remedy::Invalid,
            "context `half`: there is no user `nobody`",
        ),
        (
            "broken",
            Remedy::Invalid,
            "context `broken`: there is no cluster `nowhere`",
        ),
        ("mars-1", Remedy::Invalid, "there is no context `mars-1`"),
    ];
    for (name, remedy, expect) in cases {
        let fault = registry.config_for(&Cluster::new(name)).await.unwrap_err();
        assert_eq!(fault.remedy, remedy, "{name}");
        assert!(fault.message.contains(expect), "{fault}");
    }

    let allowed = registry.credential_plugins(CredentialPlugins::Run);
    let config = allowed.config_for(&Cluster::new("us-1")).await.unwrap();
    let command = config.auth_info.exec.unwrap().command.unwrap();
    assert_eq!(Path::new(&command), folder.0.path().join("./login"));
}

#[tokio::test]
async fn fingerprints_change_with_what_a_connection_is_made_of() {
    let folder = Folder::new(KUBECONFIG);
    let registry = folder.registry().credential_plugins(CredentialPlugins::Run);
    let before = registry.fingerprints().await;
    let names: Vec<&str> = before.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["eu-1", "us-1", "us-2"],
        "what cannot be connected to has none"
    );
    assert_eq!(registry.fingerprints().await, before);

    // Another entry of the file is none of its business.
    folder.write("config", &KUBECONFIG.replace("./login", "./log-in"));
    let after = registry.fingerprints().await;
    let changed = |name: &str| before[name] != after[name];
    assert!(changed("us-1") && !changed("eu-1") && !changed("us-2"));

    folder.write("config", &KUBECONFIG.replace("hunter2", "hunter3"));
    assert_ne!(registry.fingerprints().await["eu-1"], before["eu-1"]);

    folder.write("config", KUBECONFIG);
    folder.write("pki/ca.pem", &CA.replace("AAAA", "BBBB"));
    let after = registry.fingerprints().await;
    assert!(after["eu-1"] != before["eu-1"] && after["us-1"] == before["us-1"]);

    fs::remove_file(folder.0.path().join("config")).unwrap();
    assert!(registry.fingerprints().await.is_empty());
}
