use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// A place in an audit log: everything before it has been answered by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditMark(pub(crate) u64);

/// When in the life of a request an event was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Stage {
    /// The head of a long answer was sent: watches, and only they, have this stage besides their end.
    ResponseStarted,
    /// The answer was sent.
    ResponseComplete,
    /// The server stumbled over the request.
    Panic,
}

/// A request, as the API server noted it. Names that the request has not are empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Line")]
pub struct AuditEvent {
    /// When this was noted; a watch is noted twice.
    pub stage: Stage,
    /// Name of the user who asked, like `fleet`.
    pub user: String,
    /// What the client called itself.
    pub user_agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for other paths than
    /// those of resources, the HTTP method in lower case.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// API version, like `v1`.
    pub version: String,
    /// Plural name, like `deployments`; empty when the path is not one of a resource.
    pub resource: String,
    /// Like `status`.
    pub subresource: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object; empty for a list, and for most creations.
    pub name: String,
    /// HTTP status of the answer; 0 if there was none.
    pub code: u16,
    /// Path and query, as they were sent.
    pub uri: String,
    /// Whether nothing was to be stored: the query has `dryRun=All`.
    pub dry_run: bool,
    /// When the request came: RFC 3339 with six digits of a second, so that order as text is order in time.
    pub received_at: String,
    /// When this was noted, in the same form.
    pub stage_at: String,
}

impl AuditEvent {
    /// Whether this is the end of a request about objects: any resource, any verb but `watch`.
    pub fn is_object_request(&self) -> bool {
        !self.resource.is_empty() && self.verb != "watch" && self.stage != Stage::ResponseStarted
    }

    /// Whether this is the end of a request that may have stored something: a write, and no dry run.
    pub fn is_write(&self) -> bool {
        self.is_object_request() && !self.dry_run && !matches!(self.verb.as_str(), "get" | "list")
    }

    /// The values of a parameter of the query, as they were sent (percent signs and all).
    pub fn query<'a>(&'a self, parameter: &'a str) -> impl Iterator<Item = &'a str> {
        let query = self.uri.split_once('?').map_or("", |(_, query)| query);
        query.split('&').filter_map(move |pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name == parameter).then_some(value)
        })
    }
}

/// The line of the log, as far as we read it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    stage: Stage,
    #[serde(rename = "requestURI")]
    uri: String,
    verb: String,
    #[serde(default)]
    user: LineUser,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    object_ref: LineObject,
    #[serde(default)]
    response_status: LineStatus,
    request_received_timestamp: String,
    stage_timestamp: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LineUser {
    username: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LineObject {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
    api_group: String,
    api_version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LineStatus {
    code: u16,
}

impl From<Line> for AuditEvent {
    fn from(line: Line) -> Self {
        let mut event = AuditEvent {
            stage: line.stage,
            user: line.user.username,
            user_agent: line.user_agent,
            verb: line.verb,
            group: line.object_ref.api_group,
            version: line.object_ref.api_version,
            resource: line.object_ref.resource,
            subresource: line.object_ref.subresource,
            namespace: line.object_ref.namespace,
            name: line.object_ref.name,
            code: line.response_status.code,
            uri: line.uri,
            dry_run: false,
            received_at: line.request_received_timestamp,
            stage_at: line.stage_timestamp,
        };
        let dry_run = event.query("dryRun").any(|value| value == "All");
        event.dry_run = dry_run;
        event
    }
}

/// The events from a mark on. A last line that is still being written is left for the next time, and one that was being
/// written when the mark was made is of before it.
pub(crate) fn read(file: &Path, from: AuditMark) -> Result<Vec<AuditEvent>> {
    let failed = || format!("read {}", file.display());
    let mut log = match File::open(file) {
        Ok(log) => log,
        // No request yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(failed())(error)),
    };
    // From the byte before the mark: with that, the mark is at the start of a line or inside one.
    let start = from.0.saturating_sub(1);
    log.seek(SeekFrom::Start(start)).map_err(Error::io(failed()))?;
    let mut bytes = Vec::new();
    log.read_to_end(&mut bytes).map_err(Error::io(failed()))?;
    let first = match from.0 {
        0 => 0,
        _ => bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(bytes.len(), |end| end + 1),
    };
    let whole = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    String::from_utf8_lossy(bytes.get(first..whole).unwrap_or_default())
        .lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|source| Error::AuditLine {
                file: file.to_owned(),
                line: at + 1,
                source,
            })
        })
        .collect()
}

/// The end of the log.
pub(crate) fn mark(file: &Path) -> Result<AuditMark> {
    match std::fs::metadata(file) {
        Ok(metadata) => Ok(AuditMark(metadata.len())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(AuditMark(0)),
        Err(error) => Err(Error::io(format!("read {}", file.display()))(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_an_event() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("audit.log");
        let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1","stage":"ResponseComplete","requestURI":"/apis/apps/v1/namespaces/a/deployments/b?fieldManager=x&dryRun=All","verb":"patch","user":{"username":"fleet","groups":["system:authenticated"]},"userAgent":"t","objectRef":{"resource":"deployments","namespace":"a","name":"b","apiGroup":"apps","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200},"requestReceivedTimestamp":"2026-01-01T00:00:00.000001Z","stageTimestamp":"2026-01-01T00:00:00.000002Z"}"#;
        std::fs::write(&file, format!("{line}\n{{\"half")).expect("written");
        let events = read(&file, AuditMark(0)).expect("one event");
        let [event] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert!(event.dry_run && event.is_object_request() && !event.is_write());
        assert_eq!(event.query("fieldManager").collect::<Vec<_>>(), ["x"]);
        assert_eq!(
            (event.resource.as_str(), event.code, event.subresource.as_str()),
            ("deployments", 200, "")
        );
        let end = AuditMark(line.len() as u64 + 1);
        assert!(read(&file, end).expect("nothing whole").is_empty());
        std::fs::write(&file, format!("{line}\n{line}\n")).expect("written");
        for (mark, count) in [
            (0, 2),
            (1, 1),
            (line.len(), 1),
            (line.len() + 1, 1),
            (line.len() + 2, 0),
        ] {
            let events = read(&file, AuditMark(mark as u64)).expect("whole lines");
            assert_eq!(events.len(), count, "{mark}");
        }
    }

    #[test]
    fn no_log_is_an_empty_log() {
        let file = Path::new("/nonexistent/audit.log");
        assert!(read(file, AuditMark(0)).expect("empty").is_empty());
        assert_eq!(mark(file).expect("the beginning"), AuditMark(0));
    }
}
