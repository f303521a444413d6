//! `POST`.

use fleet_diff::{Digest, Write};

use super::{body::object, stamp};
use crate::{
    server::{Ask, Said, Server},
    status::Status,
};

/// Letters that generated names end with (`apimachinery/pkg/util/rand/rand.go`).
pub(crate) const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Server {
    pub(crate) fn create(&mut self, ask: &Ask<'_>) -> Result<Said, Status> {
        let mut value = ask.placed(ask.json()?)?;
        let metadata = &mut value["metadata"];
        if metadata["name"].as_str().unwrap_or("").is_empty() {
            let Some(start) = metadata["generateName"]
                .as_str()
                .filter(|start| !start.is_empty())
            else {
                let problem = "Required value: name or generateName is required".to_owned();
                return Err(Status::invalid(
                    ask.about_kind(""),
                    &[("metadata.name".to_owned(), problem)],
                ));
            };
            metadata["name"] = self.generated(start).into();
        }
        let version = metadata["resourceVersion"].as_str().unwrap_or("");
        if !version.is_empty() && version != "0" {
            return Err(Status::has_version());
        }
        let name = metadata["name"].as_str().unwrap_or("").to_owned();
        let key = ask.key(&name);
        let sent = object(value)?;
        self.check_strictly(ask, &sent)?;
        self.admit_into_namespace(ask, &name)?;
        let (manager, time) = (ask.manager(), stamp(ask.now));
        let prediction = Write::update(&sent, &manager, &self.schemas)
            .at(&time)
            .regardless_of_doubt(true)
            .predict();
        let mut made = ask.predicted(prediction, &name)?.to_json();
        self.warn_of_unknown(ask, &sent, &made);
        // What the server chooses belongs to nobody.
        self.begin(&ask.resource, &mut made, ask.now);
        self.finish(ask, &key, None, made)
    }

    /// A name that nobody has, made of the seed.
    pub(crate) fn generated(&mut self, start: &str) -> String {
        self.uids += 1;
        let digest = Digest::of_bytes(format!("{} name {}", self.settings.seed, self.uids).as_bytes());
        let letters = digest.as_bytes().iter().take(5);
        let end: String = letters
            .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
            .collect();
        // Names end with at most 63 letters.
        let start: String = start.chars().take(58).collect();
        format!("{start}{end}")
    }
}
