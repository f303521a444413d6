//! The built-in types of Kubernetes versions.
//!
//! The tables are written by `cargo xtask schema` from a live control plane; the project's tests compare them with one.

use std::sync::{Arc, LazyLock};

use super::{Layer, Schemas, table};

/// Read when it is first asked for.
type Table = LazyLock<Arc<Layer>>;

/// In the order of [`Schemas::KUBERNETES`].
static TABLES: [Table; 2] = [
    Table::new(|| read(include_bytes!("builtin/1.36.bin"))),
    Table::new(|| read(include_bytes!("builtin/1.37.bin"))),
];

fn read(table: &[u8]) -> Arc<Layer> {
    // Each is read in a test.
    Arc::new(table::decode(table).expect("a table of this crate"))
}

impl Schemas {
    /// The Kubernetes versions whose built-in types this crate knows, oldest first.
    pub const KUBERNETES: [&str; 2] = ["1.36", "1.37"];

    /// The built-in types of the newest of these [versions](Self::KUBERNETES). Where the version of the server is
    /// known, [`for_kubernetes`](Self::for_kubernetes) is better: versions differ in what they fill in.
    ///
    /// They are read from a table in this crate when they are first asked for, which takes less than a millisecond;
    /// after that this costs nothing. Put CRDs over them with [`with_crd`](Self::with_crd).
    pub fn builtin() -> Self {
        Self::of_table(TABLES.len() - 1)
    }

    /// The built-in types of a Kubernetes version, like `1.36`: of all kinds that its API server serves by default,
    /// with the feature gates that are on by default. None when the version is not one of [these](Self::KUBERNETES).
    ///
    /// For a server of another version, put its OpenAPI v3 documents over the nearest of these with
    /// [`with_openapi`](Self::with_openapi): which kinds and fields there are, their defaults and how they merge then
    /// come from the server, and how it stores them (pointers, what is left out when empty, feature gates) from the
    /// built-in table, by the name of the type. So a type that the table does not have, such as one of a beta version
    /// that is gone since, is stored as it is written, and a gate is on if the table says so.
    ///
    /// ```
    /// use fleet_diff::{Gvk, Schemas};
    ///
    /// let schemas = Schemas::for_kubernetes("1.36").expect("a known version");
    /// assert_eq!(schemas.is_namespaced(&Gvk::from_api_version("apps/v1", "Deployment").expect("a kind")), Some(true));
    /// assert!(Schemas::for_kubernetes("1.2").is_none());
    /// ```
    pub fn for_kubernetes(version: &str) -> Option<Self> {
        Self::KUBERNETES
            .iter()
            .position(|known| *known == version)
            .map(Self::of_table)
    }

    fn of_table(at: usize) -> Self {
        let layer = TABLES.get(at).map(|table| Arc::clone(table));
        Self {
            layers: layer.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Form, ListKind, Omit, Stored, Type, samples::gvk};

    /// For each version: its name, and its layer.
    fn tables() -> impl Iterator<Item = (&'static str, Arc<Layer>)> {
        Schemas::KUBERNETES.into_iter().map(|version| {
            (
                version,
                Schemas::for_kubernetes(version).unwrap().layers[0].clone(),
            )
        })
    }

    /// The form and the type of a field of a kind, by its path.
    fn field<'l>(layer: &'l Layer, api_version: &str, kind: &str, path: &str) -> (Form, &'l Type) {
        let mut of = layer.kinds[&gvk(api_version, kind)].root;
        let mut form = Form::default();
        for name in path.split('.') {
            let map = layer.get(of).map.as_ref().unwrap();
            let field = map.field(name).unwrap_or_else(|| panic!("{kind} has no {path}"));
            (of, form) = (field.of, field.form);
        }
        (form, layer.get(of))
    }

    #[test]
    fn the_newest_is_the_last() {
        let newest = Schemas::for_kubernetes(Schemas::KUBERNETES[Schemas::KUBERNETES.len() - 1]).unwrap();
        assert!(Arc::ptr_eq(&newest.layers[0], &Schemas::builtin().layers[0]));
        let minor = |version: &str| version.strip_prefix("1.").unwrap().parse::<u32>().unwrap();
        assert!(Schemas::KUBERNETES.is_sorted_by_key(|version| minor(version)));
        for unknown in ["", "1", "1.3", "1.360", "v1.36", "1.36.3"] {
            assert!(Schemas::for_kubernetes(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn pointers_tell_absent_from_zero() {
        for (version, layer) in tables() {
            let form = |pointer, omit| Form { pointer, omit };
            let forms = [
                (
                    "apps/v1",
                    "Deployment",
                    "spec.replicas",
                    form(true, Omit::Empty),
                    Stored::Int32,
                ),
                (
                    "apps/v1",
                    "Deployment",
                    "spec.paused",
                    form(false, Omit::Empty),
                    Stored::Bool,
                ),
                (
                    "apps/v1",
                    "Deployment",
                    "spec.selector",
                    form(true, Omit::Never),
                    Stored::Struct,
                ),
                (
                    "rbac.authorization.k8s.io/v1",
                    "ClusterRole",
                    "rules",
                    form(false, Omit::Never),
                    Stored::List,
                ),
                ("v1", "Secret", "data", form(false, Omit::Empty), Stored::Map),
                (
                    "v1",
                    "ConfigMap",
                    "immutable",
                    form(true, Omit::Empty),
                    Stored::Bool,
                ),
                (
                    "v1",
                    "Pod",
                    "metadata.creationTimestamp",
                    form(false, Omit::Zero),
                    Stored::Time,
                ),
                (
                    "coordination.k8s.io/v1",
                    "Lease",
                    "spec.renewTime",
                    form(true, Omit::Empty),
                    Stored::MicroTime,
                ),
            ];
            for (api_version, kind, path, form, stored) in forms {
                let (found, of) = field(&layer, api_version, kind, path);
                assert_eq!((found, of.stored), (form, stored), "{version} {kind} {path}");
            }
        }
    }

    #[test]
    fn lists_merge_by_their_keys() {
        for (version, layer) in tables() {
            let keys = |api_version, kind, path| match &field(&layer, api_version, kind, path)
                .1
                .list
                .as_ref()
                .unwrap()
                .kind
            {
                ListKind::Map(keys) => keys.join(" "),
                ListKind::Set => "each value".to_owned(),
                ListKind::Atomic => "whole".to_owned(),
            };
            assert_eq!(keys("v1", "Service", "spec.ports"), "port protocol", "{version}");
            assert_eq!(
                keys("apps/v1", "Deployment", "spec.template.spec.containers"),
                "name"
            );
            assert_eq!(keys("v1", "Pod", "metadata.finalizers"), "each value");
            assert_eq!(keys("v1", "Pod", "metadata.ownerReferences"), "uid");
            assert_eq!(
                keys("rbac.authorization.k8s.io/v1", "ClusterRole", "rules"),
                "whole"
            );
            let selector = field(&layer, "v1", "Service", "spec.selector")
                .1
                .map
                .as_ref()
                .unwrap();
            assert!(selector.atomic);
            let labels = field(&layer, "v1", "Service", "metadata.labels")
                .1
                .map
                .as_ref()
                .unwrap();
            assert!(!labels.atomic);
        }
    }

    #[test]
    fn kinds_are_those_that_are_served() {
        for (version, layer) in tables() {
            let schemas = Schemas::for_kubernetes(version).unwrap();
            let namespaced = |api_version, kind| schemas.is_namespaced(&gvk(api_version, kind));
            assert_eq!(namespaced("v1", "Namespace"), Some(false));
            assert_eq!(namespaced("v1", "ServiceAccount"), Some(true));
            assert_eq!(
                namespaced("autoscaling/v1", "HorizontalPodAutoscaler"),
                Some(true)
            );
            assert_eq!(namespaced("apps/v1", "DeploymentList"), None);
            assert!(
                !schemas.knows(&gvk("apps/v1", "DeploymentList")) && !schemas.knows(&gvk("v1", "Status"))
            );
            assert!(
                layer.told
                    && layer
                        .kinds
                        .values()
                        .all(|kind| kind.native && kind.namespaced.is_some())
            );
            let resets = |api_version, kind| schemas.of(&gvk(api_version, kind)).resets.to_string();
            assert_eq!(resets("apps/v1", "Deployment"), ".status");
            assert_eq!(resets("v1", "ConfigMap"), "");
        }
        let migration = gvk("storagemigration.k8s.io/v1", "StorageVersionMigration");
        let knows = |version| Schemas::for_kubernetes(version).unwrap().knows(&migration);
        assert_eq!(["1.36", "1.37"].map(knows), [false, true]);
    }

    #[test]
    fn gates_are_those_that_are_on() {
        let on = |gate| tables().map(|(_, layer)| layer.gate(gate)).collect::<Vec<_>>();
        assert_eq!(on("SELinuxMountReadWriteOncePod"), [true, true]);
        assert_eq!(on("VolumeLimitScaling"), [false, true]);
        assert_eq!(on("AllAlpha"), [false, false]);
    }
}
