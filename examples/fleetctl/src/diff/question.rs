//! One question: a definition, what is there, and who asks.

use fleet_diff::{Admission, Apply, FieldSet, Object, Report, Rules, Schemas, Secrets};

/// What is the same for all questions.
pub(super) struct Knowledge {
    pub(super) schemas: Schemas,
    pub(super) rules: Rules,
    pub(super) admission: Admission,
    pub(super) secrets: Secrets,
}

pub(super) struct Question {
    pub(super) desired: Object,
    pub(super) live: Option<Object>,
    pub(super) manager: String,
    pub(super) force: bool,
    /// The fields of our last write, where the live object does not say so itself.
    pub(super) memory: Option<FieldSet>,
}

/// The namespace of definitions that name none, as it is `kubectl`'s.
const DEFAULT_NAMESPACE: &str = "default";

impl Question {
    /// The same about two objects that are one: the definition is put where the kind belongs, or where the live object is.
    pub(super) fn checked(self, schemas: &Schemas) -> Result<Self, String> {
        let live = self.live.as_ref();
        let namespace = match (schemas.is_namespaced(self.desired.gvk()), live) {
            (Some(false), _) => None,
            _ if self.desired.namespace().is_some() => self.desired.namespace(),
            (_, Some(live)) => live.namespace(),
            (Some(true), None) => Some(DEFAULT_NAMESPACE),
            (None, None) => None,
        };
        let desired = self.desired.with_namespace(namespace);
        if let Some(live) = live {
            // Names are not checked by anybody yet: what could confuse a terminal is escaped.
            let plain = |text: String| text.escape_debug().to_string();
            if live.key() != desired.key() {
                let (desired, live) = (plain(desired.key().to_string()), plain(live.key().to_string()));
                return Err(format!(
                    "the live object is {live}, and the desired one {desired}"
                ));
            }
            if live.gvk() != desired.gvk() {
                let (desired, live) = (
                    plain(desired.gvk().api_version()),
                    plain(live.gvk().api_version()),
                );
                return Err(format!(
                    "the live object was read at {live}, and the desired one is written at {desired}: read it at that version"
                ));
            }
        }
        Ok(Self { desired, ..self })
    }
}

impl Knowledge {
    pub(super) fn answer(&self, question: &Question) -> Report {
        let apply = Apply::new(&question.desired, &question.manager, &self.schemas)
            .to(question.live.as_ref())
            .force(question.force)
            .rules(&self.rules)
            .remembering(question.memory.as_ref())
            .admitted_by(&self.admission);
        apply.decide().report(self.secrets)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(api_version: &str, kind: &str, metadata: Value) -> Object {
        let value = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata});
        Object::from_json(value).unwrap()
    }

    fn ask(desired: Object, live: Option<Object>) -> Result<Option<String>, String> {
        let question = Question {
            desired,
            live,
            manager: "m".into(),
            force: false,
            memory: None,
        };
        let checked = question.checked(&Schemas::builtin())?;
        Ok(checked.desired.namespace().map(ToOwned::to_owned))
    }

    #[test]
    fn definitions_are_put_where_they_belong() {
        let a = |namespace: &str| json!({"name": "a", "namespace": namespace});
        let cases = [
            // What, where it is written to be, where it is, where it ends up.
            ("v1", "ConfigMap", "", None, Some("default")),
            ("v1", "ConfigMap", "", Some("shop"), Some("shop")),
            ("v1", "ConfigMap", "shop", None, Some("shop")),
            ("v1", "Namespace", "shop", Some(""), None),
            ("v1", "Namespace", "", None, None),
            ("example.com/v1", "Thing", "", None, None),
            ("example.com/v1", "Thing", "", Some("shop"), Some("shop")),
        ];
        for (api_version, kind, written, live, expect) in cases {
            let live = live.map(|namespace| object(api_version, kind, a(namespace)));
            let found = ask(object(api_version, kind, a(written)), live).unwrap();
            assert_eq!(found.as_deref(), expect, "{kind} {written}");
        }
    }

    #[test]
    fn two_objects_are_no_question() {
        let desired = || object("apps/v1", "Deployment", json!({"name": "a", "namespace": "shop"}));
        let metadata = |name: &str, namespace: &str| json!({"name": name, "namespace": namespace});
        let cases = [
            (
                object("apps/v1", "StatefulSet", metadata("a", "shop")),
                "the live object is StatefulSet.apps shop/a, and the desired one Deployment.apps shop/a",
            ),
            (
                object("v1", "Deployment", metadata("a", "shop")),
                "the live object is Deployment shop/a, and the desired one Deployment.apps shop/a",
            ),
            (
                object("apps/v1", "Deployment", metadata("b\u{1b}[31m", "shop")),
                "the live object is Deployment.apps shop/b\\u{1b}[31m, and the desired one Deployment.apps shop/a",
            ),
            (
                object("apps/v1", "Deployment", metadata("a", "other")),
                "the live object is Deployment.apps other/a, and the desired one Deployment.apps shop/a",
            ),
            (
                object("apps/v1beta1", "Deployment", metadata("a", "shop")),
                "the live object was read at apps/v1beta1, and the desired one is written at apps/v1: read it at that version",
            ),
        ];
        for (live, expect) in cases {
            assert_eq!(ask(desired(), Some(live)).unwrap_err(), expect);
        }
    }
}
