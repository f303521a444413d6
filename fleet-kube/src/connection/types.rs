//! The types of the kinds that an inventory uses, and what changes their objects on the way in.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{
    ClusterTypes, Digest, Fault, GroupKind, Gvk, KindMap, Object, Remedy,
    fleet_diff::{Admission, Document, Schemas},
};

use super::{ACCEPT_OBJECTS, Broken, Call, Connection, Refusal, Selection, Verb};

/// The group of those kinds of [`Admission::KINDS`] that are read. Default classes change only what is new, and that is
/// created without foreseeing how it will look.
const ADMISSION: &str = "admissionregistration.k8s.io";

/// What decides how objects are changed on their way in.
pub(crate) fn mutating_kinds() -> impl Iterator<Item = GroupKind> {
    let kinds = Admission::KINDS.into_iter();
    kinds
        .filter(|(group, _)| *group == ADMISSION)
        .map(|(group, kind)| GroupKind::new(group, kind))
}

impl Connection {
    /// Learns the types of these kinds: the built-in ones come with this program, of custom kinds the CRD is read, of
    /// all others the server's OpenAPI document. Also reads the cluster's mutating webhooks and policies.
    ///
    /// What cannot be read, or is no schema, is left out and named: about such kinds a judge asks the server.
    pub async fn learn_types(&self, wanted: &BTreeSet<Gvk>, kinds: &KindMap) -> (ClusterTypes, Vec<Fault>) {
        let mut learnt = Learning {
            connection: self,
            kinds,
            faults: Vec::new(),
            digests: BTreeMap::new(),
        };
        let (mut schemas, exact) = built_in(self.server_version());
        let mut groups = BTreeSet::new();
        let base = schemas.clone();
        for gvk in wanted.iter().filter(|gvk| !exact || !base.knows(gvk)) {
            if groups.insert((gvk.group_kind().clone(), gvk.version().to_owned())) {
                schemas = learnt.add(schemas, gvk).await;
            }
        }
        let admission = learnt.admission().await;
        let Learning { faults, digests, .. } = learnt;
        let types = ClusterTypes::new(schemas, self.server_version()).digests(digests);
        // What is not known of admission may change anything.
        let types = match admission {
            Some(admission) => types.admission(admission),
            None => types.admission(Admission::unknown()),
        };
        (types, faults)
    }
}

/// The built-in types nearest to a server's version, and whether they are just that version's.
fn built_in(version: &str) -> (Schemas, bool) {
    let minor = |text: &str| text.split('.').nth(1)?.trim_end_matches('+').parse::<u32>().ok();
    let wanted = minor(version.trim_start_matches('v')).unwrap_or(u32::MAX);
    let nearest = Schemas::KUBERNETES
        .iter()
        .min_by_key(|known| minor(known).unwrap_or(0).abs_diff(wanted));
    let nearest = nearest.copied().unwrap_or("");
    let exact = minor(nearest) == Some(wanted);
    (
        Schemas::for_kubernetes(nearest).unwrap_or_else(Schemas::builtin),
        exact,
    )
}

struct Learning<'a> {
    connection: &'a Connection,
    kinds: &'a KindMap,
    faults: Vec<Fault>,
    digests: BTreeMap<Gvk, Digest>,
}

impl Learning<'_> {
    async fn add(&mut self, schemas: Schemas, gvk: &Gvk) -> Schemas {
        let custom = gvk.group().contains('.') && !gvk.group().ends_with(".k8s.io");
        let found = if custom || !schemas.knows(gvk) {
            self.definition(gvk).await
        } else {
            Ok(None)
        };
        let found = match found {
            Ok(Some(crd)) => {
                self.digests.insert(gvk.clone(), schema_digest(&crd));
                schemas.clone().with_crd(&crd).map_err(unusable)
            }
            Ok(None) => match self.document(gvk).await {
                Ok(document) => {
                    self.digests
                        .insert(gvk.clone(), Digest::of_bytes(document.to_string().as_bytes()));
                    schemas.clone().with_openapi(&document).map_err(unusable)
                }
                Err(fault) => Err(fault),
            },
            Err(fault) => Err(fault),
        };
        found.unwrap_or_else(|fault| {
            self.faults.push(fault);
            schemas
        })
    }

    /// The CRD of a kind; none when it has none.
    async fn definition(&self, gvk: &Gvk) -> Result<Option<Object>, Fault> {
        let Some(info) = self.kinds.get(gvk.group_kind()) else {
            return Ok(None);
        };
        let path = format!(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{}.{}",
            info.plural,
            gvk.group()
        );
        let reply = self
            .connection
            .call(&Call::get(Verb::Discovery, &path))
            .await
            .map_err(Broken::fault)?;
        match reply.status {
            404 => Ok(None),
            _ if reply.is_success() => object(&reply.body).map(Some),
            _ => Err(Refusal::of(&reply).fault()),
        }
    }

    async fn document(&self, gvk: &Gvk) -> Result<Document, Fault> {
        let path = match gvk.group() {
            "" => format!("/openapi/v3/api/{}", gvk.version()),
            group => format!("/openapi/v3/apis/{group}/{}", gvk.version()),
        };
        let body = self.connection.fetch(&Call::get(Verb::Discovery, &path)).await?;
        std::str::from_utf8(&body)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| unusable("not JSON"))
    }

    /// None when a part of it cannot be read.
    async fn admission(&mut self) -> Option<Admission> {
        let mut objects = Vec::new();
        for kind in mutating_kinds() {
            let Some(gvk) = self.kinds.version_for(&kind, None) else {
                continue;
            };
            let take = |_: &[Option<Object>], item: Document| Ok(Object::from_item(item, &gvk).ok());
            let selection = Selection::all(gvk.clone());
            match self.connection.list(&selection, ACCEPT_OBJECTS, take).await {
                Ok(found) => objects.extend(found.into_iter().flatten()),
                Err(fault) => {
                    self.faults.push(fault);
                    return None;
                }
            }
        }
        Some(Admission::from_objects(&objects))
    }
}

/// Digest of what of a CRD says how its objects are stored.
fn schema_digest(crd: &Object) -> Digest {
    let versions = crd.root().get("spec").and_then(|spec| spec.get("versions"));
    Digest::of_bytes(
        versions
            .map(|versions| versions.to_string())
            .unwrap_or_default()
            .as_bytes(),
    )
}

fn object(body: &[u8]) -> Result<Object, Fault> {
    let document = serde_json::from_slice(body).map_err(|_| unusable("not JSON"))?;
    Object::from_document(document).map_err(unusable)
}

fn unusable(why: impl std::fmt::Display) -> Fault {
    Fault::new(Remedy::Invalid, format!("a schema cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_built_in_types_are_taken() {
        for (version, exact) in [
            ("v1.36.3", true),
            ("v1.37.0-gke.1", true),
            ("v1.33.1", false),
            ("v1.99.0", false),
            ("odd", false),
        ] {
            let (schemas, is_exact) = built_in(version);
            assert_eq!(is_exact, exact, "{version}");
            assert!(
                schemas.knows(&GroupKind::new("apps", "Deployment").at("v1")),
                "{version}"
            );
        }
    }
}
