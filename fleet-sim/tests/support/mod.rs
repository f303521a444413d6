//! A client of a server, and the time.
#![allow(dead_code, reason = "each test uses its part")]

use bytes::Bytes;
use fleet_sim::{Answer, Server, Settings, WatchId};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub(crate) struct Client {
    pub(crate) server: Server,
    pub(crate) now: Timestamp,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::of(Settings::default())
    }

    pub(crate) fn of(settings: Settings) -> Self {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        Self {
            server: Server::new(settings, now),
            now,
        }
    }

    pub(crate) fn settle(&mut self) {
        self.wait(1);
        self.server.settle(self.now);
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(crate) fn get(&mut self, path: &str) -> (u16, Value) {
        self.send("GET", path, &Value::Null)
    }

    /// Sends JSON, or nothing.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send_text(method, path, "application/json", body)
    }

    pub(crate) fn apply(&mut self, path: &str, manager: &str, body: &Value) -> (u16, Value) {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}fieldManager={manager}");
        self.send_text("PATCH", &path, "application/apply-patch+yaml", body.to_string())
    }

    pub(crate) fn send_text(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: String,
    ) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .header("user-agent", "test/1")
            .body(Bytes::from(body))
            .unwrap();
        match self.server.handle(&request, self.now) {
            Answer::Done(response) => {
                let code = response.status().as_u16();
                (
                    code,
                    serde_json::from_slice(response.body()).unwrap_or(Value::Null),
                )
            }
            Answer::Watch(..) => panic!("{path} is a watch"),
        }
    }

    pub(crate) fn watch(&mut self, path: &str) -> WatchId {
        let request = Request::get(path).body(Bytes::new()).unwrap();
        match self.server.handle(&request, self.now) {
            Answer::Watch(_, id) => id,
            Answer::Done(response) => panic!("{path} is no watch: {:?}", response.body()),
        }
    }

    /// What a watch says now: types, and names or other words.
    pub(crate) fn events(&mut self, id: WatchId) -> Vec<(String, Value)> {
        let events = self.server.events(id, self.now);
        let text = String::from_utf8(events.lines.to_vec()).unwrap();
        let read = |line: &str| -> (String, Value) {
            let value: Value = serde_json::from_str(line).unwrap();
            (
                value["type"].as_str().unwrap().to_owned(),
                value["object"].clone(),
            )
        };
        text.lines().map(read).collect()
    }
}
