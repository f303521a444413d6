//! What applying a definition would change in a Kubernetes object, and whose each field is: answered without a server,
//! as an API server would answer.
//!
//! This crate stands alone: it knows JSON and Kubernetes' conventions, and neither a client, nor an async
//! runtime, nor a clock. Its predictions are compared with real API servers by the thousand (the project's truth test).
//!
//! # Predict an apply
//!
//! [`Apply::predict`] gives the object and the `managedFields` that a server would answer to a server-side apply, or its
//! conflicts, or says that only the server knows, and why ([`Doubt`]). [`Schemas`] say how types are merged, defaulted
//! and stored: built-in ones for Kubernetes 1.36 and 1.37, those of CRDs, and the OpenAPI documents of any server.
//!
//! ```
//! use fleet_diff::{Action, Apply, Object, Prediction, Schemas};
//! use serde_json::json;
//!
//! let web = |replicas: i64| Object::from_json(json!({
//!     "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"},
//!     "spec": {
//!         "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
//!         "template": {
//!             "metadata": {"labels": {"app": "web"}},
//!             "spec": {"containers": [{"name": "web", "image": "web:1"}]},
//!         },
//!     },
//! }));
//! let schemas = Schemas::builtin();
//! let desired = web(2)?;
//! let Prediction::Object(live) = Apply::new(&desired, "fleet", &schemas).predict() else {
//!     panic!("nothing is in its way");
//! };
//! // Defaults are there, and who owns what.
//! assert_eq!(live.root().at(&["spec", "strategy", "type"]).and_then(|kind| kind.as_str()), Some("RollingUpdate"));
//!
//! // Would applying it again change anything?
//! assert_eq!(Apply::new(&desired, "fleet", &schemas).to(Some(&live)).decide().action(), Action::None);
//! let three = web(3)?;
//! let decision = Apply::new(&three, "fleet", &schemas).to(Some(&live)).decide();
//! assert_eq!(decision.action(), Action::Update);
//! assert_eq!(decision.changes()[0].path.to_string(), ".spec.replicas");
//! # Ok::<(), fleet_diff::ObjectError>(())
//! ```
//!
//! # Explain it to a person, or to a program
//!
//! [`Decision::report`] makes data of what was found, which [`render_report`] makes lines of; [`Decision::json_patch`]
//! and [`Decision::merge_patch`] are for those who do not apply. An apply is answered as a certain server would by
//! [`Schemas::for_kubernetes`], with its mutating admission by [`Apply::admitted_by`], and for somebody who takes fields
//! of others by [`Apply::force`].
//!
//! ```
//! use fleet_diff::{Action, Admission, Apply, Object, Prediction, RenderOptions, Schemas, Secrets, render_report};
//! use serde_json::json;
//!
//! let settings = |mode: &str| Object::from_json(json!({
//!     "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "settings"},
//!     "data": {"mode": mode},
//! }));
//! let (ours, theirs) = (settings("fast")?, settings("slow")?);
//! let schemas = Schemas::for_kubernetes("1.36").ok_or("a version with a table")?;
//! let Prediction::Object(live) = Apply::new(&theirs, "other-team", &schemas).predict() else {
//!     panic!("nothing is in its way");
//! };
//! let admission = Admission::from_objects([]);
//! let apply = Apply::new(&ours, "fleet", &schemas).to(Some(&live)).admitted_by(&admission);
//! let decision = apply.decide();
//! assert_eq!(decision.action(), Action::Blocked);
//! assert_eq!(decision.conflicts()[0].manager, "other-team");
//! let text = render_report(live.key(), &decision.report(Secrets::Hidden), &RenderOptions::default());
//! assert!(text.contains("other-team"), "{text}");
//!
//! let decision = apply.force(true).decide();
//! assert_eq!(decision.action(), Action::Update);
//! assert_eq!(decision.merge_patch(), Some(json!({"data": {"mode": "fast"}})));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Write a rule
//!
//! Whether a difference counts is an opinion, and [`Rules`] hold it: built-in ones, those of a file, and those in
//! annotations. [`Apply::decide`] follows them and names the rule in the [`Verdict`] on each field. A rule may count only
//! where a [`Condition`] holds. Anything else that knows better implements [`FieldIntentRules`].
//!
//! ```
//! use fleet_diff::{Action, Apply, Object, RuleSet, Rules, Schemas, Verdict};
//! use serde_json::json;
//!
//! let settings = |mode: &str| Object::from_json(json!({
//!     "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "settings"},
//!     "data": {"mode": mode},
//! }));
//! let rules = Rules::builtin().with(RuleSet::from_json(&json!([
//!     {"id": "first-value-stays", "kinds": {"kinds": ["ConfigMap"]}, "path": ".data.mode", "do": "write-once"},
//! ]))?);
//! let (desired, live, schemas) = (settings("a")?, settings("b")?, Schemas::builtin());
//! let decision = Apply::new(&desired, "fleet", &schemas).to(Some(&live)).rules(&rules).decide();
//! assert_ne!(decision.action(), Action::Update);
//! let fields = decision.fields();
//! let mode = fields.iter().find(|field| field.path.to_string() == ".data.mode").expect("every field has a verdict");
//! assert_eq!((mode.verdict, mode.rule.as_deref()), (Verdict::KeptWriteOnce, Some("first-value-stays")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Compare two objects
//!
//! [`changes`] finds the smallest fields that differ between two values, matching elements of lists by name
//! ([`json_changes`] does so with `serde_json` values).
//! [`differences`] does so between a live object and what the server answered to a dry-run apply: whether applying would
//! change anything.
//!
//! ```
//! use fleet_diff::{Document, changes};
//!
//! let before: Document = r#"{"containers": [{"name": "log", "image": "l:1"}, {"name": "web", "image": "w:1"}]}"#.parse()?;
//! let after: Document = r#"{"containers": [{"name": "log", "image": "l:1"}, {"name": "web", "image": "w:2"}]}"#.parse()?;
//! let found = changes(before.root(), after.root());
//! assert_eq!(found.len(), 1);
//! assert_eq!(found[0].path.to_string(), r#".containers[name="web"].image"#);
//! assert_eq!(found[0].path.to_json_pointer(before.root()).as_deref(), Some("/containers/1/image"));
//! # Ok::<(), fleet_diff::DocumentError>(())
//! ```
//!
//! # Who owns a field?
//!
//! [`managers_of`] reads it from `metadata.managedFields`, [`FieldSet`] is the set of fields in one of its entries.
//! [`Update`] says who owns what after somebody else wrote; [`migrate_updates`], [`rename_manager`] and
//! [`repair_versions`] pass ownership on, [`extract`] gives what one manager applied.
//!
//! ```
//! use fleet_diff::{FieldPath, Object, managers_of};
//! use serde_json::json;
//!
//! let live = Object::from_json(json!({
//!     "apiVersion": "v1", "kind": "ConfigMap",
//!     "metadata": {"name": "settings", "managedFields": [
//!         {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1",
//!          "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:mode": {}}}},
//!     ]},
//!     "data": {"mode": "0600"},
//! }))?;
//! assert_eq!(managers_of(&live, &FieldPath::keys(["data", "mode"]))[0].name, "kubectl-edit");
//! # Ok::<(), fleet_diff::ObjectError>(())
//! ```
//!
//! # Show a change to a person
//!
//! [`render`] writes a line for each change. What a Secret holds never shows; [`masked`] hides it for other outputs.
//!
//! ```
//! use fleet_diff::{ObjectKey, RenderOptions, json_changes, render};
//! use serde_json::json;
//!
//! let found = json_changes(&json!({"data": {"user": "YQ=="}}), &json!({"data": {"user": "Yg==", "password": "Yw=="}}));
//! let text = render(&ObjectKey::new("", "Secret", Some("shop"), "db"), &found, &RenderOptions::default());
//! assert_eq!(text, "+ .data.password: (secret)\n~ .data.user: (secret) → (secret, changed)\n");
//! ```
//!
//! # Read objects from YAML
//!
//! [`read_objects`] reads YAML and JSON the way Kubernetes' own tools do, with limits and with errors that quote
//! nothing of the text. It needs the feature `yaml`.
//!
//! ```
//! # #[cfg(feature = "yaml")] {
//! use fleet_diff::{ReadLimits, read_objects};
//!
//! let text = "
//! apiVersion: v1
//! kind: ConfigMap
//! metadata: {namespace: shop, name: settings}
//! data: {mode: \"0644\"}
//! ";
//! let found = read_objects(text, &ReadLimits::default())?;
//! assert_eq!(found[0].object.key().to_string(), "ConfigMap shop/settings");
//! assert_eq!(found[0].line, 2);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An [`Object`] is immutable, small and cheap to clone: it is read from JSON into a [`Document`], of which a [`Node`]
//! borrows any value. Its identity is an [`ObjectKey`] (group, kind, namespace, name; never
//! a version), its content a [`Digest`].
//!
//! # Which fields of built-in kinds are special?
//!
//! Those that servers complete, keep, refuse to change or leave to controllers, each with what answers it here and the
//! questions that real servers were asked about it:
#![cfg_attr(doc, doc = "[`fields`].")]
#![cfg_attr(not(doc), doc = "`FIELDS.md`.")]
//!
//! # When it does not know
//!
//! A prediction says so and why ([`Doubt`]). On real servers, with thousands of random changes to real manifests, that is
//! about 1 % of all questions, but for two sorts:
//!
//! - **Mutating admission matches** ([`Admission`]): nearly all questions where a `MutatingAdmissionPolicy` or a webhook
//!   applies, namely every change of content or owners, and new claims and Ingresses where a default class is set. What its expressions or its program answer, only the server knows.
//!   Known is that an apply would change nothing by itself; a webhook that is new may even then.
//! - **Fields are owned at another version of a built-in kind**: about a sixth of the questions to autoscalers that are
//!   written at `autoscaling/v1` by one manager and at `v2` by another. Servers convert between them with code, not by a
//!   schema. Versions of custom resources without a conversion webhook are known.
//!
//! Also unsure is what nothing but an OpenAPI document describes, what cluster admission completes when a Pod is made, and
//! [`Apply::decide`] for kinds without a schema; [`Apply::predict`] merges those as servers do what they have no schema for.
//!
//! **What is not foreseen are refusals** for values: of formats, ranges and rules (CEL, `oneOf`, `enum`) only what removal
//! leaves behind and what never changes is checked. An apply that a server refuses for such a reason is predicted as if it
//! were taken: it changes nothing there, and the server says why.
//!
//! # Features
//!
//! - `yaml` (off by default): [`read_objects`], [`read_values`] and [`read_json`].
#![cfg_attr(
    not(feature = "yaml"),
    doc = "",
    doc = "[`read_objects`]: crate#features",
    doc = "[`read_values`]: crate#features",
    doc = "[`read_json`]: crate#features"
)]
#![warn(clippy::unwrap_used)]

#[cfg(doc)]
#[doc = include_str!("../FIELDS.md")]
pub mod fields {}

mod admission;
mod cel;
mod compare;
mod decide;
mod digest;
mod document;
mod managed;
mod managed_fields;
mod object;
mod ownership;
mod patch;
mod path;
mod predict;
mod render;
mod rules;
mod schema;
mod server_answer;
mod set;
mod storage;
mod typed;
#[cfg(feature = "yaml")]
mod yaml;

pub use admission::Admission;
pub use cel::{Condition, ConditionError, EvaluationError};
pub use compare::{FieldChange, changes, json_changes};
pub use decide::{Action, Decision, FieldVerdict, Obstacle, Report, Verdict};
pub use digest::{Digest, DigestBuilder};
pub use document::{Document, DocumentError, Entries, Items, Kind, Node, Number};
pub use object::{GroupKind, Gvk, Object, ObjectError, ObjectKey, ParseKeyError};
pub use ownership::{
    FieldManager, Memory, MemoryError, OwnersError, Update, extract, managers_of, managers_within,
    migrate_updates, rename_manager, repair_versions, without_updates,
};
pub use patch::{json_patch, merge_patch};
pub use path::{FieldPath, Float, PathElement, PathError, Scalar};
pub use predict::{Apply, Blocked, CHOSEN, Conflict, Doubt, Prediction, Refusal, Write, comparable};
pub use render::{
    RenderOptions, Secrets, ShownFields, ShownOwners, Style, masked, masked_fields, masked_value, render,
    render_fields, render_report,
};
pub use rules::{
    FieldIntentRules, Intent, Kinds, PathPattern, Rule, RuleError, RuleSet, Rules, Sharing, glob,
};
#[cfg(feature = "table-writer")]
#[doc(hidden)]
pub use schema::table_writer;
pub use schema::{SchemaError, SchemaSource, Schemas};
pub use server_answer::{Differences, LEFT_OUT, differences, live_digest};
pub use set::{FieldSet, FieldsError};
pub use storage::{Quantity, QuantityError};
#[cfg(feature = "typed-operations")]
#[doc(hidden)]
pub use typed::operations as typed_operations;
#[cfg(feature = "yaml")]
pub use yaml::{
    ListError, Located, LocatedValue, ReadError, ReadLimits, ReadProblem, Step, line_within, read_json,
    read_list, read_objects, read_values,
};
