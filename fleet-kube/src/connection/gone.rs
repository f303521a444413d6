//! Whether a kind that discovery no longer names is gone for good.

use fleet_core::{Fault, GroupKind, KindMap, Remedy};
use serde::Deserialize;

use super::{
    Call, Connection, Verb,
    address::Query,
    list::{ACCEPT_META, ACCEPT_OBJECTS, Page, Selection},
};

#[derive(Deserialize)]
struct Named {
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Definition {
    spec: DefinitionSpec,
    #[serde(default)]
    status: DefinitionStatus,
}

impl Definition {
    fn is_established(&self) -> bool {
        let mut conditions = self.status.conditions.iter().flatten();
        conditions.any(|condition| condition.kind == "Established" && condition.status == "True")
    }
}

#[derive(Deserialize, Default)]
struct DefinitionStatus {
    conditions: Option<Vec<Condition>>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Deserialize)]
struct DefinitionSpec {
    group: String,
    #[serde(default)]
    scope: String,
    names: Names,
}

#[derive(Deserialize)]
struct Names {
    kind: String,
}

#[derive(Deserialize)]
struct ApiService {
    spec: ApiServiceSpec,
}

#[derive(Deserialize)]
struct ApiServiceSpec {
    #[serde(default)]
    group: String,
    /// None for groups the API server serves itself.
    service: Option<serde::de::IgnoredAny>,
}

impl Connection {
    /// True only if nothing in the cluster could serve the kind again by itself: discovery, read anew, is complete
    /// for its group and does not name it, no CRD defines it, and no other server is registered for its group.
    ///
    /// # Errors
    /// When any of this cannot be read; then the kind must be taken to exist.
    pub async fn kind_is_gone(&self, kind: &GroupKind) -> Result<bool, Fault> {
        let kinds = self.discover().await?;
        if kinds.get(kind).is_some() || !kinds.is_complete(kind.group()) {
            return Ok(false);
        }
        Ok(!self.is_served_elsewhere(kind).await? && !self.is_defined(kind).await?)
    }

    /// A CRD of a namespaced kind that is established and not shown by discovery at the moment, if there is one: what
    /// it defines cannot be listed now, and exists all the same.
    ///
    /// # Errors
    /// When the definitions cannot be read.
    pub(crate) async fn forgotten(&self, kinds: &KindMap) -> Result<Option<String>, Fault> {
        let definitions = everything("apiextensions.k8s.io", "CustomResourceDefinition");
        let names = self
            .list(&definitions, ACCEPT_META, |_, named: Named| {
                Ok(named.metadata.name)
            })
            .await?;
        let is_shown = |name: &str| {
            let (plural, group) = name.split_once('.').unwrap_or((name, ""));
            let mut served = kinds.kinds.iter();
            served.any(|(kind, info)| kind.group() == group && info.plural == plural)
        };
        for name in names.into_iter().filter(|name| !is_shown(name)) {
            let defined: Page<Definition> = self.definition(&name).await?;
            let namespaced = |crd: &Definition| crd.spec.scope == "Namespaced";
            if defined
                .items
                .iter()
                .any(|crd| crd.is_established() && namespaced(crd))
            {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// One definition in full, or none.
    async fn definition(&self, name: &str) -> Result<Page<Definition>, Fault> {
        let target = Query::new().with("fieldSelector", &format!("metadata.name={name}"));
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions".to_owned();
        let body = self.fetch(&Call::get(Verb::List, target.after(path))).await?;
        serde_json::from_slice(&body).map_err(|_| unreadable(name))
    }

    async fn is_served_elsewhere(&self, kind: &GroupKind) -> Result<bool, Fault> {
        let services = everything("apiregistration.k8s.io", "APIService");
        let groups = self
            .list(&services, ACCEPT_OBJECTS, |_, service: ApiService| {
                Ok(service.spec.service.is_some().then_some(service.spec.group))
            })
            .await?;
        Ok(groups.into_iter().flatten().any(|group| group == kind.group()))
    }

    async fn is_defined(&self, kind: &GroupKind) -> Result<bool, Fault> {
        // CRDs are large, but named `<plural>.<group>`: only those of the group are read in full.
        let ending = format!(".{}", kind.group());
        let definitions = everything("apiextensions.k8s.io", "CustomResourceDefinition");
        let names = self
            .list(&definitions, ACCEPT_META, |_, named: Named| {
                Ok(named.metadata.name)
            })
            .await?;
        for name in names.into_iter().filter(|name| name.ends_with(&ending)) {
            let defined = self.definition(&name).await?;
            if defined
                .items
                .iter()
                .any(|crd| crd.spec.group == kind.group() && crd.spec.names.kind == kind.kind())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn everything(group: &str, kind: &str) -> Selection {
    Selection::all(GroupKind::new(group, kind).at("v1"))
}

fn unreadable(name: &str) -> Fault {
    Fault::new(
        Remedy::Unreachable,
        format!("the definition {name} cannot be read"),
    )
}
