//! Fields that a server drops while their feature gate is off.
//!
//! From the `+featureGate` markers of the API types, and what strategies drop without one (`dropDisabledFields` in
//! `pkg/registry` and `pkg/api`); only gates that are off by default in some version matter. A field
//! that an object has already is kept, and then is in the live object.

use super::{native::Stage, tree::Draft};

/// Type, field, gate. Sorted by type.
const FIELDS: &[(&str, &str, &str)] = &[
    (
        "apps.v1.RollingUpdateStatefulSetStrategy",
        "maxUnavailable",
        "MaxUnavailableStatefulSet",
    ),
    ("batch.v1.JobSpec", "scheduling", "WorkloadWithJob"),
    (
        "coordination.v1.LeaseSpec",
        "preferredHolder",
        "CoordinatedLeaderElection",
    ),
    (
        "coordination.v1.LeaseSpec",
        "strategy",
        "CoordinatedLeaderElection",
    ),
    (
        "core.v1.ClusterTrustBundleProjection",
        "user",
        "AtomicWriteVolumeUserFields",
    ),
    (
        "core.v1.ConfigMapVolumeSource",
        "defaultUser",
        "AtomicWriteVolumeUserFields",
    ),
    (
        "core.v1.DownwardAPIVolumeFile",
        "user",
        "AtomicWriteVolumeUserFields",
    ),
    (
        "core.v1.DownwardAPIVolumeSource",
        "defaultUser",
        "AtomicWriteVolumeUserFields",
    ),
    ("core.v1.EmptyDirVolumeSource", "mode", "EmptyDirVolumeMode"),
    ("core.v1.GRPCAction", "mode", "GRPCContainerProbeTLS"),
    ("core.v1.HTTPGetAction", "protocol", "H2CContainerProbe"),
    ("core.v1.KeyToPath", "user", "AtomicWriteVolumeUserFields"),
    (
        "core.v1.NodeSpec",
        "podPreemptionPolicy",
        "InPlacePodVerticalScalingSchedulerPreemption",
    ),
    ("core.v1.PodSpec", "evictionResponders", "EvictionRequestAPI"),
    ("core.v1.PodSpec", "schedulingGroup", "GenericWorkload"),
    (
        "core.v1.ProjectedVolumeSource",
        "defaultUser",
        "AtomicWriteVolumeUserFields",
    ),
    (
        "core.v1.SecretVolumeSource",
        "defaultUser",
        "AtomicWriteVolumeUserFields",
    ),
    (
        "core.v1.ServiceAccountTokenProjection",
        "user",
        "AtomicWriteVolumeUserFields",
    ),
    (
        "core.v1.VolumeMount",
        "bindMountOptions",
        "VolumeBindMountOptions",
    ),
    (
        "core.v1.VolumeProjection",
        "clusterTrustBundle",
        "ClusterTrustBundleProjection",
    ),
    (
        "core.v1.VolumeProjection",
        "podCertificate",
        "PodCertificateProjection",
    ),
    (
        "resource.v1.Device",
        "nodeAllocatableResources",
        "DRANodeAllocatableResources",
    ),
    ("resource.v1.DeviceAttribute", "bools", "DRAListTypeAttributes"),
    ("resource.v1.DeviceAttribute", "ints", "DRAListTypeAttributes"),
    ("resource.v1.DeviceAttribute", "strings", "DRAListTypeAttributes"),
    ("resource.v1.DeviceAttribute", "versions", "DRAListTypeAttributes"),
    (
        "resource.v1.DeviceCounterConsumption",
        "compatibilityGroups",
        "DRADeviceCompatibilityGroups",
    ),
    (
        "resource.v1.DeviceSubRequest",
        "derivedAttributes",
        "DRADerivedAttributes",
    ),
    (
        "resource.v1.ExactDeviceRequest",
        "derivedAttributes",
        "DRADerivedAttributes",
    ),
    (
        "resource.v1.ResourceSliceSpec",
        "partitionTypeAttribute",
        "DRAPartitionableDevicesType",
    ),
    (
        "resource.v1.ResourceSliceSpec",
        "skipNodeOperations",
        "DRAOptionalNodeOperations",
    ),
    (
        "storage.v1.CSIDriverSpec",
        "preventPodSchedulingIfMissing",
        "VolumeLimitScaling",
    ),
];

/// True when there are such fields; strategies drop them.
pub(super) fn drop_disabled(
    type_name: &str,
    map: &mut Draft<'_>,
    gate: &dyn Fn(&str) -> bool,
    stage: Stage,
) -> bool {
    let name = type_name.strip_prefix("io.k8s.api.").unwrap_or(type_name);
    let first = FIELDS.partition_point(|(of, ..)| *of < name);
    let mut found = false;
    for (_, field, feature) in FIELDS[first..].iter().take_while(|(of, ..)| *of == name) {
        if map.contains(field) && !gate(feature) {
            found = true;
            if stage == Stage::Prepared {
                map.remove(field);
            }
        }
    }
    let is_container = matches!(name, "core.v1.Container" | "core.v1.EphemeralContainer");
    if is_container && map.at(STOP_SIGNAL).is_some() && !gate("ContainerStopSignals") {
        found = true;
        if stage == Stage::Prepared {
            drop_stop_signal(map);
        }
    }
    found
}

const STOP_SIGNAL: &[&str] = &["lifecycle", "stopSignal"];

/// It takes with it what it leaves empty (`pkg/api/pod/util.go`, `dropContainerStopSignals`).
fn drop_stop_signal(container: &mut Draft<'_>) {
    let Some(lifecycle) = container.existing("lifecycle") else {
        return;
    };
    lifecycle.remove("stopSignal");
    if lifecycle.is_empty() {
        container.remove("lifecycle");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sorted() {
        assert!(super::FIELDS.is_sorted());
    }
}
