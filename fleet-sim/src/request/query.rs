//! The options of a request, from its query and, for deletes, its body.

use serde_json::Value;

use crate::status::Status;

/// What a list or watch may be answered from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionMatch {
    NotOlderThan,
    Exact,
}

/// What becomes of the objects that the deleted one owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// All options that are known here; others are passed over, as a server does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) watch: bool,
    pub(crate) bookmarks: bool,
    pub(crate) initial_events: Option<bool>,
    pub(crate) resource_version: Option<String>,
    pub(crate) version_match: Option<VersionMatch>,
    pub(crate) limit: Option<usize>,
    pub(crate) next: Option<String>,
    pub(crate) label_selector: Option<String>,
    pub(crate) field_selector: Option<String>,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) field_manager: Option<String>,
    pub(crate) force: bool,
    pub(crate) dry_run: bool,
    pub(crate) field_validation: Option<String>,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) grace_period: Option<i64>,
    /// Preconditions of a delete.
    pub(crate) uid: Option<String>,
    pub(crate) delete_version: Option<String>,
}

impl Options {
    /// Reads a query.
    ///
    /// # Errors
    /// When a value is none that its option can have.
    pub(crate) fn of(query: &str) -> Result<Self, Status> {
        let mut options = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            options.read(&name, &value)?;
        }
        Ok(options)
    }

    fn read(&mut self, name: &str, value: &str) -> Result<(), Status> {
        let text = || Some(value.to_owned()).filter(|text| !text.is_empty());
        match name {
            "watch" => self.watch = flag(name, value)?,
            "allowWatchBookmarks" => self.bookmarks = flag(name, value)?,
            "sendInitialEvents" => self.initial_events = Some(flag(name, value)?),
            "resourceVersion" => self.resource_version = text(),
            "resourceVersionMatch" => self.version_match = version_match(value)?,
            "limit" => self.limit = Some(number(name, value)?).filter(|limit| *limit > 0),
            "continue" => self.next = text(),
            "labelSelector" => self.label_selector = text(),
            "fieldSelector" => self.field_selector = text(),
            "timeoutSeconds" => self.timeout_seconds = Some(number(name, value)?),
            "fieldManager" => self.field_manager = text(),
            "force" => self.force = flag(name, value)?,
            "dryRun" => self.dry_run = dry_run([value])?,
            "fieldValidation" => self.field_validation = field_validation(value)?,
            "propagationPolicy" => self.propagation = Some(propagation(value)?),
            "gracePeriodSeconds" => self.grace_period = Some(number(name, value)?),
            _ => {}
        }
        Ok(())
    }

    /// Adds what the `DeleteOptions` in a body say.
    ///
    /// # Errors
    /// When they are none.
    pub(crate) fn with_delete_body(mut self, body: &[u8]) -> Result<Self, Status> {
        if body.is_empty() {
            return Ok(self);
        }
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            Status::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
        })?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if let Some(policy) = body["propagationPolicy"].as_str() {
            self.propagation = Some(propagation(policy)?);
        }
        if let Some(all) = body["dryRun"].as_array() {
            self.dry_run |= dry_run(all.iter().filter_map(Value::as_str))?;
        }
        self.grace_period = body["gracePeriodSeconds"].as_i64().or(self.grace_period);
        self.uid = text(&body["preconditions"]["uid"]);
        self.delete_version = text(&body["preconditions"]["resourceVersion"]);
        Ok(self)
    }
}

fn flag(name: &str, value: &str) -> Result<bool, Status> {
    match value {
        "" | "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(wrong(name, value)),
    }
}

fn number<N: std::str::FromStr>(name: &str, value: &str) -> Result<N, Status> {
    value.parse().map_err(|_| wrong(name, value))
}

fn wrong(name: &str, value: &str) -> Status {
    Status::bad_request(format!("unable to read the value {value:?} of {name}"))
}

fn version_match(value: &str) -> Result<Option<VersionMatch>, Status> {
    match value {
        "" => Ok(None),
        "NotOlderThan" => Ok(Some(VersionMatch::NotOlderThan)),
        "Exact" => Ok(Some(VersionMatch::Exact)),
        _ => Err(wrong("resourceVersionMatch", value)),
    }
}

fn propagation(value: &str) -> Result<Propagation, Status> {
    match value {
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        "Orphan" => Ok(Propagation::Orphan),
        _ => Err(wrong("propagationPolicy", value)),
    }
}

fn dry_run<'v>(values: impl IntoIterator<Item = &'v str>) -> Result<bool, Status> {
    let mut found = false;
    for value in values {
        match value {
            "" => {}
            "All" => found = true,
            _ => return Err(wrong("dryRun", value)),
        }
    }
    Ok(found)
}

fn field_validation(value: &str) -> Result<Option<String>, Status> {
    match value {
        "" => Ok(None),
        "Ignore" | "Warn" | "Strict" => Ok(Some(value.to_owned())),
        _ => Err(wrong("fieldValidation", value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_nonsense_is_refused() {
        let options = Options::of("watch=1&labelSelector=a%3Db&limit=5&dryRun=All&other=x").unwrap();
        assert!(options.watch && options.dry_run);
        assert_eq!(options.label_selector.as_deref(), Some("a=b"));
        assert_eq!(options.limit, Some(5));
        for query in [
            "limit=x",
            "dryRun=Some",
            "propagationPolicy=x",
            "force=perhaps",
            "fieldValidation=x",
        ] {
            assert_eq!(Options::of(query).unwrap_err().code, 400, "{query}");
        }
        let body =
            br#"{"kind": "DeleteOptions", "preconditions": {"uid": "u"}, "propagationPolicy": "Orphan"}"#;
        let options = Options::default().with_delete_body(body).unwrap();
        assert_eq!(
            (options.uid.as_deref(), options.propagation),
            (Some("u"), Some(Propagation::Orphan))
        );
    }
}
