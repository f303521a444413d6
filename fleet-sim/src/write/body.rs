//! The object in the body of a request.

use fleet_diff::Object;
use serde_json::Value;

use crate::{server::Ask, status::Status};

impl Ask<'_> {
    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, Status> {
        serde_json::from_slice(self.body).map_err(|error| {
            Status::bad_request(format!(
                "error decoding patch or object: {error}, in {} bytes",
                self.body.len()
            ))
        })
    }

    /// The body of an apply: YAML, of which JSON is the usual form.
    pub(super) fn yaml(&self) -> Result<Value, Status> {
        if let Ok(value) = serde_json::from_slice(self.body) {
            return Ok(value);
        }
        let text = std::str::from_utf8(self.body).map_err(|_| Status::bad_request("the body is no UTF-8"))?;
        let mut found = fleet_diff::read_values(text, &fleet_diff::ReadLimits::default())
            .map_err(|error| Status::bad_request(format!("error decoding YAML: {error}")))?;
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only.value),
            _ => Err(Status::bad_request(
                "error decoding YAML: the body is not one document",
            )),
        }
    }

    /// What is sent must be of the resource that it is sent to, and say so where it says anything.
    pub(super) fn placed(&self, mut value: Value) -> Result<Value, Status> {
        if !value.is_object() {
            return Err(Status::bad_request("the body is no object"));
        }
        let expected = self.api_version();
        for (field, expected) in [("apiVersion", &*expected), ("kind", &*self.resource.kind)] {
            match &value[field] {
                Value::Null => {
                    return Err(Status::bad_request(format!(
                        "Object '{}' is missing in the body",
                        field_name(field)
                    )));
                }
                found if found == expected => {}
                found => {
                    let found = found.as_str().unwrap_or("").to_owned();
                    return Err(Status::bad_request(format!(
                        "the {} in the data ({found}) does not match the expected {} ({expected})",
                        words(field),
                        words(field)
                    )));
                }
            }
        }
        if !value["metadata"].is_object() {
            value["metadata"] = serde_json::json!({});
        }
        self.place_namespace(&mut value)?;
        if let Some(name) = &self.place.name {
            match value["metadata"]["name"].as_str().unwrap_or("") {
                "" => value["metadata"]["name"] = name.as_str().into(),
                found if found == name => {}
                found => {
                    let why = format!(
                        "the name of the object ({found}) does not match the name on the URL ({name})"
                    );
                    return Err(Status::bad_request(why));
                }
            }
        }
        Ok(value)
    }

    fn place_namespace(&self, value: &mut Value) -> Result<(), Status> {
        let metadata = &mut value["metadata"];
        let found = metadata["namespace"].as_str().unwrap_or("").to_owned();
        match self
            .place
            .namespace
            .as_deref()
            .filter(|_| self.resource.namespaced)
        {
            Some(namespace) if found.is_empty() => metadata["namespace"] = namespace.into(),
            Some(namespace) if found != namespace => {
                return Err(Status::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            Some(_) => {}
            None if self.resource.namespaced => {
                return Err(Status::method_not_allowed());
            }
            None => {
                if let Some(metadata) = metadata.as_object_mut() {
                    metadata.remove("namespace");
                }
            }
        }
        Ok(())
    }
}

fn field_name(field: &str) -> &str {
    if field == "kind" { "Kind" } else { "apiVersion" }
}

fn words(field: &str) -> &str {
    if field == "kind" { "kind" } else { "API version" }
}

/// An object of what a request makes.
pub(super) fn object(value: Value) -> Result<Object, Status> {
    Object::from_json(value).map_err(|error| Status::bad_request(error.to_string()))
}
