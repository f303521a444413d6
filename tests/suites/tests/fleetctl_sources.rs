//! `fleetctl` with an inventory from a server, clusters from Secrets of a hub, and files that change while it runs.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fleet_harness::{ControlPlane, Options, User, merged_kubeconfig};
use fleet_suites::{Desk, program, texts};
use serde_json::{Value, json};

fn map(value: &str) -> Value {
    let metadata = json!({"name": "app", "namespace": "default"});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"k": value}})
}

/// Of the map in a cluster; empty without it.
fn value(plane: &ControlPlane) -> String {
    let mut kubectl = plane.kubectl().unwrap();
    kubectl.args([
        "get",
        "configmap",
        "app",
        "--namespace",
        "default",
        "--output",
        "jsonpath={.data.k}",
    ]);
    String::from_utf8(kubectl.output().unwrap().stdout).unwrap()
}

fn inventory(cluster: &str, revision: &str, objects: &[Value]) -> String {
    json!({"apiVersion": "fleet.internal/v1", "kind": "Inventory", "revision": revision, "cluster": cluster,
        "objects": objects})
    .to_string()
}

/// Bodies by path; everything else is not found. Listens on loopback until the process ends.
#[derive(Clone)]
struct Server(Arc<Mutex<BTreeMap<String, String>>>, u16);

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self(Arc::default(), listener.local_addr().unwrap().port());
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.answer(stream.unwrap()));
            }
        });
        server
    }

    fn set(&self, path: &str, body: &str) {
        self.0.lock().unwrap().insert(path.to_owned(), body.to_owned());
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let token = lines
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .any(|line| line.eq_ignore_ascii_case("authorization: Bearer open-sesame"));
        let body = self
            .0
            .lock()
            .unwrap()
            .get(first.split(' ').nth(1).unwrap())
            .cloned();
        let (status, body) = match body {
            _ if !token => ("401 Unauthorized", String::new()),
            None => ("404 Not Found", String::new()),
            Some(body) => ("200 OK", body),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all((head + &body).as_bytes());
    }
}

#[test]
fn inventories_come_from_a_server_and_clusters_from_secrets() {
    let options = ["hub", "eu", "us"].map(|name| Options::new(name).controllers(false).pods(false));
    let planes = ControlPlane::start_all(options).unwrap();
    let [hub, eu, us] = planes.as_slice() else {
        panic!("three were started")
    };
    let desk = Desk::new();
    merged_kubeconfig(&[hub], &desk.path("kubeconfig")).unwrap();

    // Secrets come into the hub like anything else.
    for plane in [eu, us] {
        let ca = STANDARD.encode(std::fs::read(plane.ca_file()).unwrap());
        let kubeconfig = json!({
            "clusters": [{"name": "a", "cluster": {"server": plane.url(), "certificate-authority-data": ca}}],
            "users": [{"name": "a", "user": {"token": plane.token(User::Fleet)}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        });
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"kubeconfig": kubeconfig.to_string()},
            "metadata": {"name": plane.name(), "namespace": "default", "labels": {"member": "true"}}});
        desk.write(&format!("hub/{}.json", plane.name()), &secret.to_string());
    }
    let (code, said) = desk.said(&["apply"]);
    assert_eq!(code, 0, "{said}");

    let server = Server::start();
    std::fs::write(desk.path("token"), "open-sesame\n").unwrap();
    std::fs::write(desk.path("settings"), "inventory: shop\n").unwrap();
    let url = format!("http://127.0.0.1:{}/{{cluster}}?secret=hunter2", server.1);
    let fleetctl = program("fleetctl");
    let run = |words: &[&str], more: &[&str]| {
        let mut command = Command::new(&fleetctl);
        command.args(words).args(["--inventory", &url, "--hub", "hub"]);
        command
            .args(["--clusters-from-secrets", "default/member=true"])
            .args(more);
        for (flag, file) in [("--kubeconfig", "kubeconfig"), ("--settings", "settings")] {
            command.arg(flag).arg(desk.path(file));
        }
        command.arg("--inventory-token").arg(desk.path("token"));
        let (code, out, errors) = texts(command.output().unwrap());
        let said = out + &errors;
        let tokens = [eu, us].map(|plane| plane.token(User::Fleet));
        for secret in [tokens[0], tokens[1], "hunter2", "open-sesame"] {
            assert!(!said.contains(secret), "{said}");
        }
        (code, said)
    };
    server.set("/eu?secret=hunter2", &inventory("eu", "1", &[map("one")]));
    let (code, said) = run(&["apply"], &["--wave", "all"]);
    assert!(
        code == 1 && said.contains("/us?…: answers 404 Not Found"),
        "{said}"
    );
    assert_eq!((value(eu).as_str(), value(us).as_str()), ("one", ""));

    server.set("/us?secret=hunter2", &inventory("us", "1", &[map("one")]));
    let (code, said) = run(&["apply"], &["--wave", "all"]);
    assert!(code == 0 && value(us) == "one", "{said}");

    // What is not an inventory deletes nothing; what says that it is empty does.
    for body in [
        "",
        "{}",
        "<html></html>",
        &inventory("eu", "2", &[])[..30],
        &inventory("us", "2", &[]),
    ] {
        server.set("/eu?secret=hunter2", body);
        let (code, said) = run(&["apply"], &["--context", "eu"]);
        assert!(code == 1 && value(eu) == "one", "{body}: {said}");
    }
    server.set("/eu?secret=hunter2", &inventory("eu", "2", &[]));
    let (code, said) = run(&["apply"], &["--context", "eu"]);
    assert!(code == 0 && value(eu).is_empty() && value(us) == "one", "{said}");

    let (code, said) = run(&["plan"], &["--context", "mars"]);
    assert!(
        code == 1 && said.contains("namespace default of hub has no Secret `mars`"),
        "{said}"
    );
    std::fs::write(desk.path("settings"), "inventory: shop\nempty: [eu]\n").unwrap();
    let (code, said) = run(&["plan"], &[]);
    assert!(code == 1 && said.contains("settings is for folders"), "{said}");
    std::fs::write(desk.path("settings"), "inventory: shop\n").unwrap();
    std::fs::write(desk.path("token"), "wrong").unwrap();
    let (code, said) = run(&["plan"], &[]);
    assert!(code == 1 && said.contains("answers 401 Unauthorized"), "{said}");
}

/// A running program, killed at the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn changed_files_are_noticed_long_before_the_interval() {
    let plane = ControlPlane::start(Options::new("c").controllers(false).pods(false)).unwrap();
    let desk = Desk::new();
    merged_kubeconfig(&[&plane], &desk.path("kubeconfig")).unwrap();
    desk.write("c/app.json", &map("one").to_string());
    let mut command = desk.command(&["run", "--interval", "86400"]);
    let running = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _running = Running(running);
    for expect in ["one", "two", "three"] {
        let start = Instant::now();
        desk.write("c/app.json", &map(expect).to_string());
        while value(&plane) != expect {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{expect}: {}",
                value(&plane)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        println!("{expect} after {} ms", start.elapsed().as_millis());
    }
}
