//! Folders, good and bad.

use std::{fs, path::Path};

use fleet_core::{
    Cluster, Known, Object,
    conformance::{InventoryFixture, inventory_source},
};
use serde_json::json;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn source(&self) -> DirectorySource {
        DirectorySource::new(self.0.path())
    }

    async fn read(&self, context: &str) -> Snapshot {
        self.source().snapshot(&Cluster::new(context)).await
    }

    async fn names(&self, context: &str) -> Vec<String> {
        let known = self.read(context).await.unwrap();
        known
            .objects()
            .iter()
            .map(|object| object.name().to_owned())
            .collect()
    }

    async fn revision(&self) -> String {
        self.read("c").await.unwrap().revision().to_string()
    }
}

const A: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
const B: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n";

#[tokio::test]
async fn everything_below_a_folder_is_its_clusters() {
    let json = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "j"}}).to_string();
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {json}\n");
    let folder = Folder::new(&[
        ("c/a.yaml", A),
        ("c/deep/er/b.yml", B),
        ("c/list.yaml", &list),
        ("c/deep/two.json", &json.replace("\"j\"", "\"k\"")),
        ("c/.hidden.yaml", "{"),
        ("c/.git/x.yaml", "{"),
        ("c/README.md", "{"),
        ("c/a.yaml~", "{"),
        ("d/a.yaml", A),
        ("stray.yaml", "{"),
    ]);
    assert_eq!(folder.names("c").await, ["a", "b", "k", "j"]);
    assert_eq!(folder.names("d").await, ["a"]);
    assert_eq!(
        folder.source().clusters().unwrap(),
        ["c".to_owned(), "d".to_owned()].into()
    );
    assert_eq!(folder.source().settings().unwrap(), FleetFile::default());
}

#[tokio::test]
async fn the_revision_is_of_content_not_of_files() {
    let folder = Folder::new(&[("c/1.yaml", A), ("c/2.yaml", B)]);
    let first = folder.revision().await;
    folder.write("c/1.yaml", &format!("# moved\n{B}---\n{A}"));
    fs::remove_file(folder.path("c/2.yaml")).unwrap();
    assert_eq!(folder.revision().await, first, "other files, another order");
    folder.write("fleet.yaml", "adoption: adopt\nempty: [d]\n");
    assert_eq!(folder.revision().await, first, "settings that change no object");
    folder.write("fleet.yaml", "defaultNamespace: shop\n");
    let moved = folder.revision().await;
    assert_ne!(moved, first, "objects without a namespace are meant elsewhere");
    folder.write("c/1.yaml", &format!("{A}data: {{k: v}}\n---\n{B}"));
    assert_ne!(folder.revision().await, moved);
}

#[tokio::test]
async fn a_file_of_another_text_is_read_again_whatever_its_time_says() {
    let folder = Folder::new(&[("c/1.yaml", A), ("c/2.yaml", B), ("d/1.yaml", A)]);
    let source = folder.source();
    let read = async |context: &str| {
        let known = source.snapshot(&Cluster::new(context)).await.unwrap();
        let names = known.objects().iter().map(|object| object.name().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        (read("c").await, read("d").await),
        (vec!["a".to_owned(), "b".into()], vec!["a".into()])
    );
    let path = folder.path("c/1.yaml");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    folder.write("c/1.yaml", &A.replace("name: a", "name: x"));
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(time).unwrap();
    assert_eq!(read("c").await, ["x", "b"]);
    assert_eq!(read("d").await, ["a"]);
}

#[tokio::test]
async fn known_to_be_empty_must_be_said() {
    let folder = Folder::new(&[
        ("fleet.yaml", "empty: [gone, kept, full]\n"),
        ("kept/README", ""),
        ("full/a.yaml", A),
    ]);
    folder.write("kept/comment.yaml", "# nothing\n---\n");
    for context in ["gone", "kept"] {
        assert!(
            matches!(folder.read(context).await, Ok(Known::Empty(_))),
            "{context}"
        );
    }
    let names: Vec<String> = folder.source().clusters().unwrap().into_iter().collect();
    assert_eq!(names, ["full", "gone", "kept"]);
    let unknown = folder.read("full").await.unwrap_err();
    assert!(
        unknown.message().contains("lists `full` under `empty`"),
        "{unknown}"
    );
}

/// A Secret whose value no message may show.
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: hunter2\n";

#[tokio::test]
async fn whatever_is_wrong_is_unknown_with_file_and_line() {
    let twice = format!("{A}---\n{B}---\n{A}");
    let half = &SECRET[..SECRET.len() - 25];
    let broken = format!("{SECRET}  bad: [hunter2\n");
    let keys = format!("{SECRET}  password: hunter2\n");
    let binary = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [hunter2]}\n";
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], "c: cannot be read: No such file"),
        (&[("c/README.md", "")], "c: has no documents"),
        (&[("c/a.yaml", "# nothing\n")], "c: has no documents"),
        (&[("c", "")], "c: cannot be read: Not a directory"),
        (&[("c/a.yaml", A), ("c/s.yaml", half)], "s.yaml:"),
        (&[("c/a.yaml", A), ("c/s.yaml", &broken)], "c/s.yaml:"),
        (
            &[("c/s.yaml", &keys)],
            "c/s.yaml:6: this key is already in the mapping",
        ),
        (
            &[("c/s.yaml", binary)],
            "c/s.yaml:1: `metadata.name` is not a text",
        ),
        (
            &[("c/a.yaml", A), ("c/b.yaml", &format!("{B}---\nkind: Pod\n"))],
            "c/b.yaml:5: `apiVersion` is missing",
        ),
        (
            &[("c/a.yaml", A), ("c/sub/b.json", &format!("{A}---\n{B}"))],
            "c/sub/b.json:1: ConfigMap a is listed here and in ",
        ),
        (
            &[("c/a.yaml", &twice)],
            "c/a.yaml:9: ConfigMap a is listed here and in ",
        ),
        (
            &[("c/a.yaml", A), ("fleet.yaml", "empyt: [c]\n")],
            "fleet.yaml:1: unknown field `empyt`",
        ),
        (&[("c/a.yaml", A), ("fleet.yml", "")], "fleet.yml: is not read"),
        (
            &[("c/a.yaml", A), ("fleet.yaml/x", "")],
            "fleet.yaml: is not a file",
        ),
        (
            &[("c/a.yaml/x", ""), ("c/b.yaml/.keep", "")],
            "c: has no documents",
        ),
    ];
    for (files, expect) in cases {
        let folder = Folder::new(files);
        let unknown = folder.read("c").await.unwrap_err();
        let words = unknown.message();
        assert!(words.contains(expect), "expected {expect}: {words}");
        assert!(words.starts_with(folder.0.path().to_str().unwrap()), "{words}");
        assert!(
            !format!("{unknown:?} {:?}", unknown.source()).contains("hunter2"),
            "{words}"
        );
    }
    let twice = Folder::new(&[("c/a.yaml", A), ("c/z.yaml", &format!("\n{A}"))]);
    let words = twice.read("c").await.unwrap_err().message().to_owned();
    let first = twice.path("c/a.yaml:1");
    assert!(
        words.ends_with(&format!(
            "c/z.yaml:2: ConfigMap a is listed here and in {}",
            first.display()
        )),
        "{words}"
    );

    let absent = DirectorySource::new("/nowhere/at/all")
        .snapshot(&Cluster::new("c"))
        .await
        .unwrap_err();
    assert!(
        absent.message().starts_with("/nowhere/at/all: cannot be read"),
        "{absent}"
    );
}

#[tokio::test]
async fn names_that_can_be_no_folder_are_unknown() {
    let folder = Folder::new(&[
        ("inside/c/a.yaml", A),
        ("outside/a.yaml", A),
        ("inside/.dot/a.yaml", A),
    ]);
    let source = DirectorySource::new(folder.path("inside"));
    let absolute = folder.path("outside");
    for name in [
        "../outside",
        "..",
        ".",
        "",
        "c/",
        "c/../../outside",
        ".dot",
        absolute.to_str().unwrap(),
    ] {
        let unknown = source.snapshot(&Cluster::new(name)).await.unwrap_err();
        assert!(
            unknown.message().contains("can have no folder"),
            "{name}: {unknown}"
        );
    }
}

#[cfg(unix)]
mod links {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, os::unix::fs::symlink};

    use super::*;

    /// Relative to the folder; the target is taken as it is.
    fn link(folder: &Folder, target: impl AsRef<Path>, name: &str) {
        let path = folder.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    #[tokio::test]
    async fn inside_they_are_followed() {
        let folder = Folder::new(&[("base/b.yaml", B), ("c/a.yaml", A), ("..data/x.yaml", B)]);
        link(&folder, "../base", "c/base");
        assert_eq!(folder.names("c").await, ["a", "b"]);
        link(&folder, "../..data/x.yaml", "mounted/x.yaml");
        assert_eq!(folder.names("mounted").await, ["b"]);
        link(&folder, "c", "d");
        assert_eq!(folder.names("d").await, ["a", "b"]);
        link(&folder, ".", "self");
        let through = DirectorySource::new(folder.path("self"))
            .snapshot(&Cluster::new("c"))
            .await;
        assert_eq!(through.unwrap().objects().len(), 2);
    }

    #[tokio::test]
    async fn out_of_the_folder_nowhere_or_in_circles_they_are_unknown() {
        let elsewhere = Folder::new(&[("b.yaml", B)]);
        let cases = [
            (elsewhere.path("b.yaml"), "c/b.yaml", "c/b.yaml: is a link out of"),
            (elsewhere.path(""), "c/more", "c/more: is a link out of"),
            (PathBuf::from("nowhere"), "c/b.yaml", "c/b.yaml: cannot be read"),
            (PathBuf::from("nowhere"), "c/more", "c/more: cannot be read"),
            (
                PathBuf::from("."),
                "c/again",
                "c/again: is a link to a folder it is in",
            ),
            (
                PathBuf::from("../.."),
                "c/deep/up",
                "is a link to a folder it is in",
            ),
            (
                elsewhere.path("b.yaml"),
                "fleet.yaml",
                "fleet.yaml: is a link out of",
            ),
        ];
        for (target, name, expect) in cases {
            let folder = Folder::new(&[("c/a.yaml", A), ("c/deep/b.yaml", B)]);
            let _ = fs::remove_file(folder.path(name));
            link(&folder, target, name);
            let unknown = folder.read("c").await.unwrap_err();
            assert!(unknown.message().contains(expect), "expected {expect}: {unknown}");
        }
        let folder = Folder::new(&[]);
        link(&folder, elsewhere.path(""), "c");
        assert!(
            folder
                .read("c")
                .await
                .unwrap_err()
                .message()
                .contains("c: is a link out of")
        );
    }

    #[tokio::test]
    async fn a_thousand_ways_to_one_folder_end_at_a_limit() {
        // Each level has ten links to the next: 10^6 ways.
        let folder = Folder::new(&[("l6/a.txt", ""), ("c/a.yaml", A)]);
        for level in 0..6 {
            for way in 0..10 {
                link(&folder, format!("../l{}", level + 1), &format!("l{level}/w{way}"));
            }
        }
        link(&folder, "../l0", "c/l0");
        let unknown = folder.read("c").await.unwrap_err();
        assert!(
            unknown.message().contains("more than 100000 files and folders"),
            "{unknown}"
        );
    }

    #[tokio::test]
    async fn names_that_are_no_text_count() {
        let folder = Folder::new(&[("c/a.yaml", A)]);
        fs::write(folder.path("c").join(OsStr::from_bytes(b"b\xff.yaml")), B).unwrap();
        assert_eq!(folder.names("c").await, ["a", "b"]);
    }
}

#[tokio::test]
async fn a_file_that_is_being_written_is_never_taken_for_whole() {
    let folder = Folder::new(&[("c/keep.yaml", B)]);
    let dir = folder.path("c");
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let writer = std::thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            fs::write(dir.join("a.yaml"), &A[..A.len() - 4]).unwrap();
            fs::write(dir.join("a.yaml"), format!("{A}data: {{k: v}}\n")).unwrap();
            fs::remove_file(dir.join("a.yaml")).unwrap();
        }
    });
    for _ in 0..500 {
        let Ok(known) = folder.read("c").await else {
            continue;
        };
        let whole = known.objects().iter().find(|object| object.name() == "a");
        assert!(whole.is_none_or(|object| {
            object
                .root()
                .at(&["data", "k"])
                .and_then(fleet_core::Node::as_str)
                == Some("v")
        }));
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
}

struct Fixture(Folder, DirectorySource);

#[async_trait]
impl InventoryFixture for Fixture {
    fn source(&self) -> &dyn InventorySource {
        &self.1
    }

    async fn publish(&self, cluster: &Cluster, known: Known) {
        let _ = fs::remove_dir_all(self.0.path(&cluster.name));
        let empty = match &known {
            Known::Empty(_) => format!("empty: [{}]\n", cluster.name),
            _ => String::new(),
        };
        self.0.write("fleet.yaml", &empty);
        for (number, object) in known.objects().iter().enumerate() {
            let text = object.document().to_string();
            match number % 3 {
                0 => self.0.write(&format!("{}/{number}.json", cluster.name), &text),
                1 => self
                    .0
                    .write(&format!("{}/deep/{number}.yaml", cluster.name), &text),
                _ => {
                    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {text}\n");
                    self.0.write(&format!("{}/{number}.yml", cluster.name), &list);
                }
            }
        }
    }

    async fn break_source(&self, cluster: &Cluster) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"p": "bm90LWZvci1sb2dz"}});
        let text = secret.to_string();
        self.0
            .write(&format!("{}/0.json", cluster.name), &text[..text.len() - 2]);
    }
}

#[tokio::test]
async fn it_keeps_the_promises_of_a_source() {
    let folder = Folder::new(&[]);
    let source = folder.source();
    let violations = inventory_source(&Fixture(folder, source), &Cluster::new("eu-1")).await;
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn objects_are_sorted_for_the_revision_only() {
    let object = |name: &str| {
        Object::from_json(json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": name}})).unwrap()
    };
    let folder = Folder::new(&[
        ("c/1.json", &object("z").document().to_string()),
        ("c/2.json", &object("a").document().to_string()),
    ]);
    let known = folder.source().read("c").unwrap();
    assert_eq!(known.objects(), [object("z"), object("a")]);
}
