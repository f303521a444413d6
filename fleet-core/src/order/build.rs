//! From objects to arrows.

use std::{collections::BTreeMap, ops::Range};

use fleet_diff::{Node, Object, ObjectKey};

use super::{
    cause::{Cause, Weight},
    declared::{Annotations, OrderFault},
    graph::{Arrow, At, Graph},
    pods::Pods,
    references::{Finder, Target, items},
};

/// What is found in the objects of an inventory.
pub(super) struct Found {
    pub(super) keys: Vec<ObjectKey>,
    pub(super) waves: Vec<i32>,
    pub(super) faults: BTreeMap<At, OrderFault>,
    pub(super) arrows: Vec<(At, Arrow)>,
    /// Objects and hubs.
    pub(super) nodes: usize,
    /// Objects that are, or make, pods.
    pub(super) makes_pods: Vec<bool>,
}

pub(super) fn find<'a>(objects: impl IntoIterator<Item = &'a Object>, domain: &str) -> Found {
    let mut listed: Vec<(Target<'_>, &Object)> = objects
        .into_iter()
        .map(|object| (Target::of(object.key()), object))
        .collect();
    // In the order of keys.
    listed.sort_by_key(|(name, _)| *name);
    listed.dedup_by_key(|(name, _)| *name);
    let (names, objects): (Vec<Target<'_>>, Vec<&Object>) = listed.into_iter().unzip();
    let pods: Vec<Option<Pods<'_>>> = objects.iter().map(|object| Pods::of(object)).collect();
    let mut kinds: BTreeMap<(&str, &str), Range<usize>> = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        kinds.entry((name.group, name.kind)).or_insert(at..at).end = at + 1;
    }
    let mut builder = Builder {
        names: &names,
        kinds: &kinds,
        nodes: objects.len(),
        pods: &pods,
        objects: &objects,
        arrows: Vec::with_capacity(4 * objects.len()),
    };
    let annotations = Annotations::of(domain);
    let mut faults = BTreeMap::new();
    let mut waves = Vec::with_capacity(objects.len());
    builder.references();
    builder.containers();
    builder.definitions();
    builder.grants();
    builder.defaults();
    builder.quotas();
    builder.backends();
    for (at, object) in (0..).zip(&objects) {
        let depends = builder.depends_on(at, object, &annotations);
        let wave = annotations.wave(object);
        waves.push(wave.as_ref().ok().copied().flatten());
        if let Err(fault) = depends.and(wave.map(|_| ())) {
            faults.insert(at, fault);
        }
    }
    let waves = builder.first_needed(&waves);
    builder.waves(&waves);
    Found {
        keys: objects.iter().map(|object| object.key().clone()).collect(),
        waves,
        faults,
        arrows: builder.arrows,
        nodes: builder.nodes,
        makes_pods: pods.iter().map(Option::is_some).collect(),
    }
}

struct Builder<'b, 'a> {
    /// In the order of keys.
    objects: &'b [&'a Object],
    /// Theirs, in one place: they are looked up often.
    names: &'b [Target<'a>],
    kinds: &'b BTreeMap<(&'a str, &'a str), Range<usize>>,
    pods: &'b [Option<Pods<'a>>],
    arrows: Vec<(At, Arrow)>,
    nodes: usize,
}

impl<'a> Builder<'_, 'a> {
    /// Those that are, or make, pods.
    fn each_with_pods(&self) -> impl Iterator<Item = (At, &Target<'a>, Pods<'a>)> {
        let each = (0..).zip(self.names).zip(self.pods);
        each.filter_map(|((at, name), pods)| Some((at, name, (*pods)?)))
    }

    fn of_kind(&self, group: &'a str, kind: &'a str) -> impl Iterator<Item = (At, &'a Object)> + use<'_, 'a> {
        let places = self.kinds.get(&(group, kind)).cloned().unwrap_or_default();
        let first = At::try_from(places.start).unwrap_or(At::MAX);
        (first..).zip(self.objects[places].iter().copied())
    }

    fn find(&self, target: Target<'_>) -> Option<At> {
        let places = self.kinds.get(&(target.group, target.kind))?.clone();
        let first = places.start;
        let wanted = (target.namespace, target.name);
        let found = self.names[places].binary_search_by(|name| (name.namespace, name.name).cmp(&wanted));
        At::try_from(first + found.ok()?).ok()
    }

    fn link(&mut self, from: At, to: At, cause: impl Into<Option<Cause>>) {
        if from != to {
            let cause = cause.into();
            self.arrows.push((from, Arrow { to, cause }));
        }
    }

    fn hub(&mut self) -> At {
        let hub = At::try_from(self.nodes).unwrap_or(At::MAX);
        self.nodes += 1;
        hub
    }

    /// What objects name.
    fn references(&mut self) {
        for (from, object) in (0..).zip(self.objects) {
            let mut named = Vec::new();
            Finder::new(object, |cause, target| named.push((cause, target))).all();
            for (cause, target) in named {
                if let Some(to) = self.find(target) {
                    self.link(from, to, cause);
                }
            }
        }
    }

    /// Namespaces, and what is in them. Namespaces and CRDs wait for nothing that is not written down.
    fn containers(&mut self) {
        let namespaces: BTreeMap<&str, At> = self
            .of_kind("", "Namespace")
            .map(|(at, object)| (object.name(), at))
            .collect();
        for (from, name) in (0..).zip(self.names) {
            if let Some(to) = namespaces.get(name.namespace).filter(|_| !is_first(name)) {
                self.link(from, *to, Cause::Namespace);
            }
        }
    }

    /// CRDs and what they define; aggregated APIs and what they serve.
    fn definitions(&mut self) {
        let mut definitions: BTreeMap<(&str, &str), Vec<At>> = BTreeMap::new();
        for (at, crd) in self.of_kind(CRD.0, CRD.1) {
            let text = |keys: &[&str]| crd.root().get("spec")?.at(keys)?.as_str();
            if let (Some(group), Some(kind)) = (text(&["group"]), text(&["names", "kind"])) {
                definitions.entry((group, kind)).or_default().push(at);
            }
        }
        let mut servers: BTreeMap<(&str, &str), Vec<At>> = BTreeMap::new();
        for (at, service) in self.of_kind(API_SERVICE.0, API_SERVICE.1) {
            let text = |field| service.root().at(&["spec", field])?.as_str();
            let answered = backend_of(service.root().get("spec"));
            if let (Some(group), Some(version), Some(_)) = (text("group"), text("version"), answered) {
                servers.entry((group, version)).or_default().push(at);
            }
        }
        if definitions.is_empty() && servers.is_empty() {
            return;
        }
        for ((from, name), object) in (0..).zip(self.names).zip(self.objects) {
            if is_first(name) || (name.group, name.kind) == API_SERVICE {
                continue;
            }
            for to in definitions.get(&(name.group, name.kind)).into_iter().flatten() {
                self.link(from, *to, Cause::Definition);
            }
            let served = servers.get(&(name.group, object.gvk().version()));
            for to in served.into_iter().flatten() {
                self.link(from, *to, Cause::Served);
            }
        }
    }

    /// Bindings, and pods that run as accounts they name.
    fn grants(&mut self) {
        let mut bindings: BTreeMap<(&str, &str), Vec<At>> = BTreeMap::new();
        for kind in ["ClusterRoleBinding", "RoleBinding"] {
            for (at, binding) in self.of_kind("rbac.authorization.k8s.io", kind) {
                for subject in items(Some(binding.root()), "subjects") {
                    let text = |field| subject.get(field).and_then(Node::as_str);
                    let namespace = text("namespace").or(binding.namespace());
                    if let (Some("ServiceAccount"), Some(name), Some(namespace)) =
                        (text("kind"), text("name"), namespace)
                    {
                        bindings.entry((namespace, name)).or_default().push(at);
                    }
                }
            }
        }
        if bindings.is_empty() {
            return;
        }
        let mut hubs: BTreeMap<(&str, &str), At> = BTreeMap::new();
        let users: Vec<(At, &str, &str)> = self
            .each_with_pods()
            .map(|(at, name, pods)| (at, name.namespace, pods.account()))
            .collect();
        for (from, namespace, account) in users {
            let Some(granted) = bindings.get(&(namespace, account)) else {
                continue;
            };
            let hub = *hubs.entry((namespace, account)).or_insert_with(|| {
                let hub = self.hub();
                for binding in granted {
                    self.link(hub, *binding, Cause::Grant);
                }
                hub
            });
            self.link(from, hub, None);
        }
    }

    /// LimitRanges, and pods of their namespaces.
    fn defaults(&mut self) {
        let hubs = self.hubs_of_namespaces("LimitRange");
        for (hub, ranges) in hubs.values() {
            for range in ranges {
                self.link(*hub, *range, Cause::LimitRange);
            }
        }
        let inside: Vec<(At, At)> = self
            .each_with_pods()
            .filter_map(|(at, name, _)| Some((at, hubs.get(name.namespace)?.0)))
            .collect();
        for (from, hub) in inside {
            self.link(from, hub, None);
        }
    }

    /// Quotas, and everything else in their namespaces.
    fn quotas(&mut self) {
        let hubs = self.hubs_of_namespaces("ResourceQuota");
        for (hub, quotas) in hubs.values() {
            for quota in quotas {
                self.link(*quota, *hub, None);
            }
        }
        if hubs.is_empty() {
            return;
        }
        for (to, name) in (0..).zip(self.names) {
            let is_quota = (name.group, name.kind) == ("", "ResourceQuota");
            if let Some((hub, _)) = hubs.get(name.namespace).filter(|_| !is_quota) {
                self.link(*hub, to, Cause::Counted);
            }
        }
    }

    /// For each namespace that has objects of a core kind: a hub, and where they are.
    fn hubs_of_namespaces(&mut self, kind: &'static str) -> BTreeMap<&'a str, (At, Vec<At>)> {
        let mut found: BTreeMap<&str, (At, Vec<At>)> = BTreeMap::new();
        let members: Vec<(At, &str)> = self
            .of_kind("", kind)
            .filter_map(|(at, object)| Some((at, object.namespace()?)))
            .collect();
        for (at, namespace) in members {
            let (_, members) = found.entry(namespace).or_insert_with(|| (self.hub(), Vec::new()));
            members.push(at);
        }
        found
    }

    /// Webhooks and aggregated APIs, and what answers for them.
    fn backends(&mut self) {
        let mut asking: Vec<(At, (&str, &str))> = Vec::new();
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            for (at, object) in self.of_kind("admissionregistration.k8s.io", kind) {
                let hooks = items(Some(object.root()), "webhooks");
                let backends = hooks.filter_map(|hook| backend_of(hook.get("clientConfig")));
                asking.extend(backends.map(|backend| (at, backend)));
            }
        }
        for (at, object) in self.of_kind(API_SERVICE.0, API_SERVICE.1) {
            asking.extend(backend_of(object.root().get("spec")).map(|backend| (at, backend)));
        }
        let mut hubs: BTreeMap<At, At> = BTreeMap::new();
        let mut labels = None;
        for (from, (namespace, name)) in asking {
            let service = Target {
                group: "",
                kind: "Service",
                namespace,
                name,
            };
            let Some(service) = self.find(service) else {
                continue;
            };
            let hub = *hubs.entry(service).or_insert_with(|| {
                let labels = labels.get_or_insert_with(|| Labels::of(self.each_with_pods()));
                let selected = labels.selected_by(self.objects[service as usize]);
                let hub = self.hub();
                for workload in selected {
                    self.link(hub, workload, Cause::Backend);
                }
                hub
            });
            self.link(from, service, Cause::BackendService);
            self.link(from, hub, None);
        }
    }

    fn depends_on(&mut self, from: At, object: &Object, annotations: &Annotations) -> Result<(), OrderFault> {
        for on in annotations.depends_on(object)? {
            match self.find(Target::of(&on)) {
                Some(to) if to == from => return Err(annotations.itself()),
                Some(to) => self.link(from, to, Cause::DependsOn),
                None => return Err(annotations.not_listed(on)),
            }
        }
        Ok(())
    }

    /// Waves, of what says none: 0, or that of the first object that does not work without it.
    fn first_needed(&self, said: &[Option<i32>]) -> Vec<i32> {
        let mut waves: Vec<i32> = said.iter().map(|wave| wave.unwrap_or(0)).collect();
        let mut early: Vec<(i32, At)> = waves
            .iter()
            .copied()
            .zip(0..)
            .filter(|(wave, _)| *wave < 0)
            .collect();
        if early.is_empty() {
            return waves;
        }
        early.sort_unstable();
        let graph = Graph::new(self.nodes, self.arrows.clone());
        let mut seen = vec![false; self.nodes];
        for (wave, at) in early {
            let mut left = vec![at];
            while let Some(node) = left.pop() {
                for arrow in graph.of(node) {
                    let to = arrow.to as usize;
                    let needed = arrow.cause.is_none_or(|cause| cause.weight() > Weight::Better);
                    let says = said.get(to).is_some_and(Option::is_some);
                    if needed && !says && !std::mem::replace(&mut seen[to], true) {
                        if let Some(own) = waves.get_mut(to) {
                            *own = wave;
                        }
                        left.push(arrow.to);
                    }
                }
            }
        }
        waves
    }

    /// One hub for each wave that another one follows: it waits for its objects and for the hub before.
    fn waves(&mut self, waves: &[i32]) {
        let mut members: BTreeMap<i32, Vec<At>> = BTreeMap::new();
        for (at, wave) in (0..).zip(waves) {
            members.entry(*wave).or_default().push(at);
        }
        let (mut before, mut left) = (None, members.len());
        for members in members.into_values() {
            left -= 1;
            if let Some(before) = before {
                for member in &members {
                    self.link(*member, before, None);
                }
            }
            if left == 0 {
                break;
            }
            let hub = self.hub();
            if let Some(before) = before {
                self.link(hub, before, None);
            }
            for member in members {
                self.link(hub, member, Cause::Wave);
            }
            before = Some(hub);
        }
    }
}

const CRD: (&str, &str) = ("apiextensions.k8s.io", "CustomResourceDefinition");
const API_SERVICE: (&str, &str) = ("apiregistration.k8s.io", "APIService");

fn is_first(name: &Target<'_>) -> bool {
    matches!((name.group, name.kind), ("", "Namespace") | CRD)
}

/// Namespace and name of the Service that answers.
fn backend_of(client: Option<Node<'_>>) -> Option<(&str, &str)> {
    let service = client?.get("service")?;
    let text = |field| service.get(field).and_then(Node::as_str);
    Some((text("namespace")?, text("name")?))
}

/// Pods by namespace and label.
struct Labels<'a> {
    by_label: BTreeMap<(&'a str, &'a str, &'a str), Vec<At>>,
    of: BTreeMap<At, Node<'a>>,
}

impl<'a> Labels<'a> {
    fn of<'b>(pods: impl Iterator<Item = (At, &'b Target<'a>, Pods<'a>)>) -> Self
    where
        'a: 'b,
    {
        let mut found = Self {
            by_label: BTreeMap::new(),
            of: BTreeMap::new(),
        };
        for (at, name, pods) in pods {
            let Some(labels) = pods.labels else { continue };
            found.of.insert(at, labels);
            for (key, value) in labels.entries() {
                let place = (name.namespace, key, value.as_str().unwrap_or(""));
                found.by_label.entry(place).or_default().push(at);
            }
        }
        found
    }

    /// What a Service selects: nothing without a selector.
    fn selected_by(&self, service: &'a Object) -> Vec<At> {
        let selector = service.root().at(&["spec", "selector"]);
        let wanted: Vec<(&str, &str)> = selector
            .into_iter()
            .flat_map(Node::entries)
            .map(|(key, value)| (key, value.as_str().unwrap_or("")))
            .collect();
        let namespace = service.namespace().unwrap_or("");
        let with = wanted.iter().map(|(key, value)| self.with(namespace, key, value));
        let fewest = with.min_by_key(|found| found.len());
        let has_all = |at: &&At| {
            let labels = self.of.get(at);
            wanted
                .iter()
                .all(|(key, value)| labels.and_then(|labels| labels.get(key)?.as_str()) == Some(*value))
        };
        fewest.unwrap_or(&[]).iter().filter(has_all).copied().collect()
    }

    fn with(&self, namespace: &'a str, key: &'a str, value: &'a str) -> &[At] {
        self.by_label
            .get(&(namespace, key, value))
            .map_or(&[], Vec::as_slice)
    }
}
