//! Pods, and what makes pods.

use fleet_diff::{Node, Object};

/// The pods an object is, or makes.
#[derive(Clone, Copy)]
pub(super) struct Pods<'a> {
    pub(super) spec: Node<'a>,
    pub(super) labels: Option<Node<'a>>,
}

impl<'a> Pods<'a> {
    /// Of a pod, of the built-in kinds that make pods, and of any other kind with a pod template at `spec.template`.
    pub(super) fn of(object: &'a Object) -> Option<Self> {
        let root = object.root();
        let template = match (object.key().group(), object.key().kind()) {
            ("", "Pod") => root,
            ("", "PodTemplate") => root.get("template")?,
            ("batch", "CronJob") => root.at(&["spec", "jobTemplate", "spec", "template"])?,
            _ => root.at(&["spec", "template"])?,
        };
        let spec = template.get("spec")?;
        spec.get("containers")?.is_list().then_some(Self {
            spec,
            labels: template.at(&["metadata", "labels"]),
        })
    }

    /// The account they run as.
    pub(super) fn account(self) -> &'a str {
        let named = ["serviceAccountName", "serviceAccount"];
        let mut names = named.iter().filter_map(|field| self.spec.get(field)?.as_str());
        names.find(|name| !name.is_empty()).unwrap_or("default")
    }

    /// Containers of all sorts.
    pub(super) fn containers(self) -> impl Iterator<Item = Node<'a>> {
        ["initContainers", "containers", "ephemeralContainers"]
            .into_iter()
            .filter_map(move |field| self.spec.get(field))
            .flat_map(Node::items)
    }
}
