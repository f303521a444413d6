//! Small inventories made up at random, and what waits for what in them, found pair by pair.

use std::collections::BTreeSet;

use fleet_core::{Object, ObjectKey, order::Cause};
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Namespace,
    Map,
    Deployment,
    Account,
    Token,
    Binding,
    Quota,
    Limits,
    Definition,
    Widget,
    Service,
    Webhook,
    Api,
    Runner,
}

use Kind::*;

const KINDS: [Kind; 14] = [
    Namespace, Map, Deployment, Account, Token, Binding, Quota, Limits, Definition, Widget, Service, Webhook,
    Api, Runner,
];

/// One object. What its names mean depends on its kind.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) kind: Kind,
    pub(super) place: u8,
    pub(super) name: u8,
    /// Another object it names: in its namespace, if it has one.
    pub(super) a: u8,
    pub(super) b: u8,
    pub(super) wave: Option<i8>,
    /// What its annotation names, by position.
    pub(super) depends: Vec<usize>,
}

pub(super) fn world() -> impl Strategy<Value = Vec<Spec>> {
    let wave = prop_oneof![6 => Just(None), 1 => (-2_i8..3).prop_map(Some)];
    let depends = prop_oneof![5 => Just(vec![]), 2 => prop::collection::vec(0_usize..64, 1..3)];
    let kind = prop::sample::select(KINDS.to_vec());
    let spec = (kind, 0_u8..2, 0_u8..3, 0_u8..3, 0_u8..3, wave, depends).prop_map(
        |(kind, place, name, a, b, wave, depends)| Spec {
            kind,
            place,
            name,
            a,
            b,
            wave,
            depends,
        },
    );
    prop::collection::vec(spec, 0..24).prop_map(|specs| {
        let mut seen = BTreeSet::new();
        let mut specs: Vec<Spec> = specs.into_iter().filter(|spec| seen.insert(spec.key())).collect();
        let count = specs.len();
        for (i, spec) in specs.iter_mut().enumerate() {
            for on in &mut spec.depends {
                *on %= count;
            }
            spec.depends.retain(|on| *on != i);
        }
        specs
    })
}

impl Spec {
    fn of_cluster(&self) -> bool {
        matches!(self.kind, Namespace | Definition | Webhook | Api)
    }

    fn has_pods(&self) -> bool {
        matches!(self.kind, Deployment | Runner)
    }

    pub(super) fn key(&self) -> ObjectKey {
        let (group, kind) = match self.kind {
            Namespace => ("", "Namespace"),
            Map => ("", "ConfigMap"),
            Deployment => ("apps", "Deployment"),
            Account => ("", "ServiceAccount"),
            Token => ("", "Secret"),
            Binding => ("rbac.authorization.k8s.io", "RoleBinding"),
            Quota => ("", "ResourceQuota"),
            Limits => ("", "LimitRange"),
            Definition => ("apiextensions.k8s.io", "CustomResourceDefinition"),
            Widget => ("example.com", "Widget"),
            Service => ("", "Service"),
            Webhook => ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
            Api => ("apiregistration.k8s.io", "APIService"),
            Runner => ("agg.example.com", "Runner"),
        };
        let namespace = format!("ns{}", self.place);
        if self.kind == Namespace {
            return ObjectKey::new(group, kind, None, &namespace);
        }
        let namespace = (!self.of_cluster()).then_some(&*namespace);
        ObjectKey::new(group, kind, namespace, &format!("n{}", self.name))
    }

    pub(super) fn object(&self, all: &[Spec]) -> Object {
        let key = self.key();
        let (place, name) = (format!("ns{}", self.place), format!("n{}", self.name));
        let (a, b) = (format!("n{}", self.a), format!("n{}", self.b));
        let pods = json!({"metadata": {"labels": {"app": name}}, "spec": {
            "serviceAccountName": a, "containers": [{"name": "a", "envFrom": [{"configMapRef": {"name": b, "optional": true}}]}],
            "volumes": [{"name": "a", "configMap": {"name": a}}],
        }});
        let service = json!({"namespace": place, "name": a});
        let (version, body) = match self.kind {
            Namespace | Map | Quota | Limits => ("v1", json!({})),
            Deployment => ("apps/v1", json!({"spec": {"template": pods}})),
            Account => ("v1", json!({"imagePullSecrets": [{"name": a}]})),
            Token => ("v1", json!({"type": "kubernetes.io/service-account-token"})),
            Binding => (
                "rbac.authorization.k8s.io/v1",
                json!({"subjects": [{"kind": "ServiceAccount", "name": a}, {"kind": "User", "name": b}]}),
            ),
            Definition => (
                "apiextensions.k8s.io/v1",
                json!({"spec": {"group": "example.com", "names": {"kind": "Widget"}}}),
            ),
            Widget => ("example.com/v1", json!({})),
            Service => ("v1", json!({"spec": {"selector": {"app": a}}})),
            Webhook => (
                "admissionregistration.k8s.io/v1",
                json!({"webhooks": [{"clientConfig": {"service": service}}]}),
            ),
            Api => (
                "apiregistration.k8s.io/v1",
                json!({"spec": {"group": "agg.example.com", "version": "v1", "service": service}}),
            ),
            Runner => ("agg.example.com/v1", json!({"spec": {"template": pods}})),
        };
        let mut annotations = json!({"kubernetes.io/service-account.name": a});
        if let Some(wave) = self.wave {
            annotations["example.com/wave"] = json!(wave.to_string());
        }
        if !self.depends.is_empty() {
            let on: Vec<String> = self.depends.iter().map(|on| all[*on].key().to_path()).collect();
            annotations["example.com/depends-on"] = json!(on.join(","));
        }
        let mut object = body;
        object["apiVersion"] = json!(version);
        object["kind"] = json!(key.kind());
        object["metadata"] = json!({"name": key.name(), "annotations": annotations});
        if let Some(namespace) = key.namespace() {
            object["metadata"]["namespace"] = Value::from(namespace);
        }
        Object::from_json(object).unwrap()
    }

    /// Why this one waits for the other, as far as the two themselves say, with `all` to say what lies between.
    fn causes(&self, on: &Self, all: &[Spec]) -> Vec<Cause> {
        let mut causes = Vec::new();
        if self.key() == on.key() {
            return causes;
        }
        let together = self.place == on.place && !self.of_cluster() && !on.of_cluster();
        let mut when = |condition: bool, cause: Cause| {
            if condition {
                causes.push(cause);
            }
        };
        when(
            on.kind == Namespace && !self.of_cluster() && self.place == on.place,
            Cause::Namespace,
        );
        when((self.kind, on.kind) == (Widget, Definition), Cause::Definition);
        when((self.kind, on.kind) == (Runner, Api), Cause::Served);
        let names_a = together && self.a == on.name;
        let names_b = together && self.b == on.name;
        let pods = self.has_pods();
        when(pods && on.kind == Map && names_a, Cause::Volume);
        when(pods && on.kind == Map && names_b && !names_a, Cause::Optional);
        when(pods && on.kind == Account && names_a, Cause::ServiceAccount);
        when(pods && on.kind == Limits && together, Cause::LimitRange);
        when(
            pods && on.kind == Binding && together && self.a == on.a,
            Cause::Grant,
        );
        when(
            self.kind == Account && on.kind == Token && names_a,
            Cause::PullSecret,
        );
        when(self.kind == Token && on.kind == Account && names_a, Cause::Token);
        when(self.kind == Quota && on.kind != Quota && together, Cause::Counted);
        if matches!(self.kind, Webhook | Api) {
            let service = |one: &Spec| one.kind == Service && one.place == self.place && one.name == self.a;
            when(service(on), Cause::BackendService);
            let selects = |one: &Spec| service(one) && one.place == on.place && one.a == on.name;
            when(on.has_pods() && all.iter().any(selects), Cause::Backend);
        }
        causes
    }
}

/// What waits for what by its position, and why; before anything was dropped.
pub(super) fn causes(specs: &[Spec]) -> BTreeSet<(usize, usize, Cause)> {
    let mut found = BTreeSet::new();
    let pairs = || (0..specs.len()).flat_map(|x| (0..specs.len()).map(move |y| (x, y)));
    for (x, y) in pairs() {
        let declared = specs[x].depends.contains(&y);
        for cause in specs[x].causes(&specs[y], specs) {
            // A cause that lies in the two alone is told only if none counts more.
            let between = matches!(
                cause,
                Cause::Grant | Cause::LimitRange | Cause::Counted | Cause::Backend
            );
            if between || !declared {
                found.insert((x, y, cause));
            }
        }
        if declared {
            found.insert((x, y, Cause::DependsOn));
        }
    }
    let waves = waves(specs, &found);
    for (x, y) in pairs() {
        if waves[x] > waves[y] {
            found.insert((x, y, Cause::Wave));
        }
    }
    found
}

/// The waves, of which what says none takes that of what needs it, if that is less.
pub(super) fn waves(specs: &[Spec], causes: &BTreeSet<(usize, usize, Cause)>) -> Vec<i32> {
    let mut waves: Vec<i32> = specs.iter().map(|spec| spec.wave.unwrap_or(0).into()).collect();
    loop {
        let mut next = waves.clone();
        for (x, y, cause) in causes {
            if specs[*y].wave.is_none() && !is_better(*cause) {
                next[*y] = next[*y].min(waves[*x]);
            }
        }
        if next == waves {
            return waves;
        }
        waves = next;
    }
}

pub(super) fn is_declared(cause: Cause) -> bool {
    matches!(cause, Cause::DependsOn | Cause::Wave)
}

/// It only goes better in this order.
pub(super) fn is_better(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::Grant
            | Cause::PullSecret
            | Cause::Optional
            | Cause::Class
            | Cause::Source
            | Cause::Governing
            | Cause::LimitRange
            | Cause::Counted
    )
}
