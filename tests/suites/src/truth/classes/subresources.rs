//! Others have written through `/scale` and `/status`.

use serde_json::{Value, json};

use super::{fixed, is_editable, ours};
use crate::truth::{
    base::Base,
    case::{APPLIER, Ask, Class, Draft, OURS, Start},
    edit::other,
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
        base.resource.has_scale && is_editable(base, site)
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
        let replicas = if ask.base.resource.is_built_in() {
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

impl Status {
    /// Something that most kinds have.
    fn patch(base: &Base, salt: u64) -> Value {
        let condition = |kind: &str, status: &str| {
            json!({
                "type": kind, "status": status, "reason": "Because", "message": "",
                "lastTransitionTime": "2026-01-02T03:04:05Z",
            })
        };
        let conditions = json!([condition("Ready", "True"), condition("Synced", "False")]);
        match base.kind.as_str() {
            "Deployment.apps" | "ReplicaSet.apps" | "ReplicationController" | "StatefulSet.apps" => {
                json!({"status": {
                    "replicas": 2, "readyReplicas": 1, "observedGeneration": 1,
                    "conditions": [condition("Available", "True"), condition("Progressing", "False")],
                }})
            }
            "DaemonSet.apps" => json!({"status": {
                "currentNumberScheduled": 1, "numberMisscheduled": 0, "desiredNumberScheduled": 2, "numberReady": 1,
            }}),
            "Job.batch" => json!({"status": {"active": 1, "startTime": "2026-01-02T03:04:05Z"}}),
            "CronJob.batch" => json!({"status": {"lastScheduleTime": "2026-01-02T03:04:05Z"}}),
            "Service" | "Ingress.networking.k8s.io" => {
                json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}})
            }
            "HorizontalPodAutoscaler.autoscaling" if base.resource.api_version.ends_with("v1") => {
                json!({"status": {"currentReplicas": 2, "desiredReplicas": 3}})
            }
            "HorizontalPodAutoscaler.autoscaling" => {
                json!({"status": {"currentReplicas": 2, "desiredReplicas": 3, "conditions": conditions}})
            }
            "Namespace" => json!({"status": {"conditions": [condition("Odd", "True")]}}),
            "Node" => {
                json!({"status": {"conditions": [condition("Ready", "True")], "capacity": {"cpu": "4", "memory": "8Gi"}}})
            }
            "Pod" => {
                json!({"status": {"phase": "Running", "podIP": "10.8.0.9", "podIPs": [{"ip": "10.8.0.9"}], "conditions": conditions}})
            }
            "PersistentVolume" => json!({"status": {"phase": "Available"}}),
            "PersistentVolumeClaim" => json!({"status": {"phase": "Pending"}}),
            "ResourceQuota" => json!({"status": {"used": {"pods": "3"}, "hard": {"pods": "50"}}}),
            "PodDisruptionBudget.policy" => json!({"status": {
                "currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0, "expectedPods": 1, "conditions": conditions,
            }}),
            _ if salt == 0 => json!({"status": {"conditions": conditions}}),
            _ => json!({"status": {"phase": "Ready", "conditions": [condition("Ready", "True")]}}),
        }
    }
}

impl Class for Status {
    fn name(&self) -> &'static str {
        "status"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        base.resource.has_status && !site.required && !site.is_element() && !site.is_key
    }

    fn salts(&self) -> u64 {
        3
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let patch = Self::patch(base, salt);
        let written = Made::Merged {
            manager: "controller",
            subresource: Some("status"),
            patch: patch.clone(),
        };
        let applied = Made::StatusApplied {
            manager: "status-applier",
            patch,
        };
        match salt {
            2 => Start::made([ours(base), applied]),
            _ => Start::made([ours(base), written]),
        }
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(ask.random.once_in(3));
        match ask.random.below(4) {
            0 => {
                let value = ask.other()?;
                draft.set(&ask.site.place, value);
            }
            1 => draft.remove(&ask.site.place),
            2 => {
                // Nobody is asked about it here.
                let mut patch = Self::patch(ask.base, ask.salt);
                draft.desired["status"] = patch["status"].take();
            }
            _ => {
                let mut random = fixed(ask.base, 7, "label");
                let label = other(&ask.base.document, ask.site, &mut random);
                if label.is_some() && ask.random.once_in(4) {
                    draft.desired["metadata"]["labels"]["example.net/seen"] = json!("yes");
                }
            }
        }
        Some(draft)
    }
}
