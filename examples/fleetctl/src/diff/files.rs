//! Reading what the command line names. Errors say the file and the place, and quote nothing of objects.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use fleet_diff::{
    Admission, Document, Object, ReadError, ReadLimits, SchemaSource, Schemas, read_objects, read_values,
};

/// The largest file, in bytes. Documents of large API groups have several MiB.
pub(crate) const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The only object of a file.
pub(super) fn object(path: &Path) -> Result<Object, String> {
    let mut found = read_objects(&text(path)?, &limits()).map_err(|error| at(path, &error))?;
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only.object),
        (None, _) => Err(wrong(path, "has no object in it")),
        (Some(last), before) => {
            let why = format!("has {} objects in it, and there must be one", before + 1);
            Err(wrong_at(path, last.line, &why))
        }
    }
}

/// The built-in types of the version that is asked for or that the documents are of, under all that the files say.
pub(super) fn schemas(paths: &[PathBuf], kubernetes: Option<&str>) -> Result<Schemas, String> {
    let mut sources = Vec::new();
    for path in paths {
        let before = sources.len();
        for document in read_values(&text(path)?, &limits()).map_err(|error| at(path, &error))? {
            let place = (path, document.line);
            let found = SchemaSource::find(&Document::from_json(&document.value))
                .map_err(|error| wrong_at(path, document.line, &error.to_string()))?;
            sources.extend(found.into_iter().map(|source| (place, source)));
        }
        if sources.len() == before {
            let why = "has neither an OpenAPI v3 document nor a CustomResourceDefinition in it";
            return Err(wrong(path, why));
        }
    }
    let told = || {
        sources
            .iter()
            .find_map(|(_, source)| Schemas::nearest(source.kubernetes()?))
    };
    let base = kubernetes.or_else(told).and_then(Schemas::for_kubernetes);
    let mut schemas = base.unwrap_or_else(Schemas::builtin);
    // A CRD says more than the document that a server makes of it.
    sources.sort_by_key(|(_, source)| matches!(source, SchemaSource::Crd(_)));
    for ((path, line), source) in &sources {
        schemas = schemas
            .with(source)
            .map_err(|error| wrong_at(path, *line, &error.to_string()))?;
    }
    Ok(schemas)
}

/// What changes objects by what the files name: mutating webhooks, policies, default classes.
pub(super) fn admission(paths: &[PathBuf]) -> Result<Admission, String> {
    let mut objects = Vec::new();
    for path in paths {
        for found in read_objects(&text(path)?, &limits()).map_err(|error| at(path, &error))? {
            let key = found.object.key();
            if !Admission::KINDS.contains(&(key.group(), key.kind())) {
                let kinds = Admission::KINDS.map(|(_, kind)| kind);
                let why = format!("is none of {}", kinds.join(", "));
                return Err(wrong_at(path, found.line, &why));
            }
            objects.push(found.object);
        }
    }
    Ok(Admission::from_objects(&objects))
}

pub(crate) fn text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(FILE_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| wrong(path, &format!("cannot be read: {error}")))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(wrong(path, &format!("is larger than {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + String::from_utf8_lossy(before).matches('\n').count();
        wrong_at(path, line, "is not UTF-8")
    })
}

fn limits() -> ReadLimits {
    let mut limits = ReadLimits::default();
    limits.max_bytes = FILE_BYTES_MAX;
    limits
}

pub(crate) fn wrong(path: &Path, why: &str) -> String {
    format!("{}: {why}", path.display())
}

fn wrong_at(path: &Path, line: usize, why: &str) -> String {
    format!("{}:{line}: {why}", path.display())
}

fn at(path: &Path, error: &ReadError) -> String {
    let column = error
        .column()
        .map_or(String::new(), |column| format!("{column}:"));
    format!("{}:{}:{column} {}", path.display(), error.line(), error.reason())
}
