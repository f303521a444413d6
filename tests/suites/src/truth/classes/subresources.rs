//! Others have written through `/scale` and `/status`.

use serde_json::json;

use super::{edits, is_editable, ours};
use crate::truth::{
    base::Base,
    case::{APPLIER, Ask, Class, Draft, EDITOR, OURS, Start},
    live::Made,
    place::{fields, remove},
    site::Site,
};

/// What was scaled to.
const SCALED: u64 = 6;

/// Somebody scales.
pub(super) struct Scale;

impl Class for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        base.resource.has_subresource("scale") && is_editable(base, site)
    }

    fn salts(&self) -> u64 {
        3
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let scaled = |count: u64| Made::Merged {
            manager: "scaler",
            subresource: Some("scale"),
            patch: json!({"spec": {"replicas": count}}),
        };
        match salt {
            0 => Start::made([ours(base), scaled(SCALED)]),
            1 => {
                let mut document = base.document.clone();
                remove(&mut document, &fields(&["spec", "replicas"]));
                remove(&mut document, &fields(&["spec", "size"]));
                Start::made([
                    Made::Applied {
                        manager: OURS,
                        document,
                    },
                    scaled(SCALED),
                ])
            }
            // Somebody applied it, and scaling took it away from both.
            _ => {
                let edits = vec![(fields(&["spec", "replicas"]), json!(4))];
                Start::made([
                    ours(base),
                    Made::AppliedPart {
                        manager: APPLIER,
                        edits,
                    },
                    scaled(SCALED),
                ])
            }
        }
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let replicas = if ask.base.is_built_in() {
            fields(&["spec", "replicas"])
        } else {
            let names = ["replicas", "size"];
            let counts = ask.base.sites.iter().find(|site| names.contains(&site.name()))?;
            counts.place.clone()
        };
        let mut draft = ask.draft().forced(ask.random.once_in(2));
        match ask.random.below(5) {
            0 | 1 => draft.set(&replicas, json!(SCALED)),
            2 => draft.set(&replicas, json!(2)),
            3 => draft.remove(&replicas),
            _ => {}
        }
        if ask.random.once_in(2) {
            let value = ask.other()?;
            draft.set(&ask.site.place, value);
        }
        Some(draft)
    }
}

/// Controllers write what they see.
pub(super) struct Status;

impl Class for Status {
    fn name(&self) -> &'static str {
        "status"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        base.status.is_some() && !site.required && !site.is_element() && !site.is_key
    }

    fn salts(&self) -> u64 {
        4
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let status = json!({"status": base.status});
        let written = Made::Merged {
            manager: "controller",
            subresource: Some("status"),
            patch: status.clone(),
        };
        let applied = Made::StatusApplied {
            manager: "status-applier",
            patch: status,
        };
        let edited = Made::Edited {
            manager: EDITOR,
            edits: edits(base, salt, "beside", 2),
        };
        match salt {
            0 => Start::made([ours(base), written]),
            1 => Start::made([ours(base), written, edited]),
            2 => Start::made([ours(base), applied]),
            _ => Start::made([ours(base), written, applied]),
        }
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        // Of some kinds the server took none.
        let owners = ask.live?.object["metadata"]["managedFields"].as_array()?;
        if !owners.iter().any(|owner| owner["subresource"] == "status") {
            return None;
        }
        let mut draft = ask.draft().forced(!ask.random.once_in(3));
        for (_, place, value) in ask.edits() {
            draft.set(place, value.clone());
        }
        match ask.random.below(5) {
            0 | 1 => {
                let value = ask.other()?;
                draft.set(&ask.site.place, value);
            }
            2 => draft.remove(&ask.site.place),
            // Nobody is asked about it here.
            3 => draft.desired["status"] = ask.base.status.clone()?,
            _ => {}
        }
        Some(draft)
    }
}
