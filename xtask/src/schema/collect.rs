//! What a server publishes of its kinds, and what its Go types say.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{Result, server::Server};

/// How long a server that is ready may take to publish what it serves, and how often we look.
const PUBLISHED: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);

/// All that is known of the built-in kinds of a version.
pub(super) struct Collected {
    /// OpenAPI v3 documents, by a path like `apis/apps/v1`.
    pub(super) documents: BTreeMap<String, String>,
    /// What `control-plane types` prints.
    pub(super) types: String,
}

impl Collected {
    /// Asks a server.
    pub(super) fn of(server: &Server) -> Result<Self> {
        let types = server.types()?;
        let mut documents = BTreeMap::new();
        for (path, url) in urls(server)? {
            documents.insert(path, server.get(&url)?);
        }
        Ok(Self { documents, types })
    }

    /// Writes each document to DIR/openapi, which is replaced, and the types to DIR/types.json.
    pub(super) fn write(&self, dir: &Path) -> Result {
        let openapi = dir.join("openapi");
        // A document of another version must not stay among these.
        if openapi.exists() {
            fs::remove_dir_all(&openapi)?;
        }
        fs::create_dir_all(&openapi)?;
        for (path, document) in &self.documents {
            let name = format!("{}.json", path.replace('/', "__"));
            fs::write(openapi.join(name), document)?;
        }
        Ok(fs::write(dir.join("types.json"), format!("{}\n", self.types))?)
    }
}

/// The URL of the document of every version of a group that is served, by a path like `apis/apps/v1`.
fn urls(server: &Server) -> Result<BTreeMap<String, String>> {
    let served = server.versions()?;
    let end = Instant::now() + PUBLISHED;
    loop {
        // It may be filled after the start, in the background.
        let index = server.json("/openapi/v3")?;
        let (there, missing) = look_up(&index, &served);
        let Some(missing) = missing else { return Ok(there) };
        if Instant::now() >= end {
            return Err(format!("the server serves {missing} and publishes no document of it").into());
        }
        thread::sleep(LOOK);
    }
}

/// The URLs that the index has for these paths, and a path that it does not have.
fn look_up<'a>(index: &Value, served: &'a [String]) -> (BTreeMap<String, String>, Option<&'a str>) {
    let mut there = BTreeMap::new();
    let mut missing = None;
    for path in served {
        match index["paths"][path]["serverRelativeURL"].as_str() {
            Some(url) => drop(there.insert(path.clone(), url.to_owned())),
            None => missing = Some(path.as_str()),
        }
    }
    (there, missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_served_must_be_published() {
        let served = ["api/v1", "apis/apps/v1", "apis/apps/v2"].map(str::to_owned);
        let url = |url: &str| json!({ "serverRelativeURL": url });
        let mut index =
            json!({"paths": {"api/v1": url("/a"), "apis/apps": url("/b"), "apis/apps/v1": url("/c")}});
        assert_eq!(look_up(&index, &served).1, Some("apis/apps/v2"));
        index["paths"]["apis/apps/v2"] = url("/d");
        let (there, missing) = look_up(&index, &served);
        assert_eq!(
            (there.into_values().collect::<Vec<_>>().concat(), missing),
            ("/a/c/d".to_owned(), None)
        );
    }
}
