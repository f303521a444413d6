//! Why one object waits for another.

use std::fmt;

use fleet_diff::ObjectKey;
use serde::Serialize;

use crate::words::Reason;

/// Why one object waits for another. Of several causes between two objects the first in this order is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// The annotation `depends-on` says so.
    DependsOn,
    /// It is of a later wave.
    Wave,
    /// It is in this namespace.
    Namespace,
    /// Its kind is defined by this CRD.
    Definition,
    /// Its API version is served by this aggregated API.
    Served,
    /// Its pods run as this account: without it they are refused.
    ServiceAccount,
    /// Its pods mount it.
    Volume,
    /// Its pods read environment variables from it.
    Environment,
    /// Its pods use this resource claim, or claims made from this template.
    ResourceClaim,
    /// Its pods name this PriorityClass or RuntimeClass: without it they are refused.
    PodClass,
    /// A binding, of this role: who may not grant everything is refused without it.
    Role,
    /// A token of this account: without the account it is deleted.
    Token,
    /// Webhooks or an aggregated API: requests are answered through this Service.
    BackendService,
    /// Webhooks or an aggregated API: requests are answered by pods of this.
    Backend,
    /// Its pods run as an account that this binding gives rights to.
    Grant,
    /// Its pods, or an account's, pull images with it.
    PullSecret,
    /// Its pods use it, and start without it too.
    Optional,
    /// It names this storage, ingress or volume attributes class, or this driver.
    Class,
    /// A claim that takes this volume, or its content.
    Source,
    /// A StatefulSet that names this Service as its own: "must exist before", says its documentation.
    Governing,
    /// Its pods take defaults from this LimitRange when they are made.
    LimitRange,
    /// A quota, of the namespace that this is in: until a new quota has been counted it refuses everything.
    Counted,
}

/// What the object waited for must have come to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// It exists as it is defined.
    Applied,
    /// It is healthy, too.
    Healthy,
}

/// How much a cause weighs where causes contradict one another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Weight {
    /// It goes better in this order, and works in the end without.
    Better,
    /// It does not work before.
    Needed,
    /// Every object of the kind needs it, whatever is in it.
    Given,
    /// Somebody wrote it down.
    Declared,
}

impl Cause {
    /// What is waited for.
    ///
    /// Of most things it is enough that they are there: a claim is bound only when a pod uses it, and pods start by
    /// themselves once what they mount is there.
    pub fn needs(self) -> Needs {
        match self {
            Self::DependsOn | Self::Wave | Self::Definition | Self::Served | Self::Backend => Needs::Healthy,
            _ => Needs::Applied,
        }
    }

    /// Whether an annotation says so; everything else is read from the objects.
    pub fn is_declared(self) -> bool {
        self.weight() == Weight::Declared
    }

    pub(super) fn weight(self) -> Weight {
        match self {
            Self::DependsOn | Self::Wave => Weight::Declared,
            Self::Namespace | Self::Definition => Weight::Given,
            Self::Served
            | Self::ServiceAccount
            | Self::Volume
            | Self::Environment
            | Self::ResourceClaim
            | Self::PodClass
            | Self::Role
            | Self::Token
            | Self::BackendService
            | Self::Backend => Weight::Needed,
            Self::Grant
            | Self::PullSecret
            | Self::Optional
            | Self::Class
            | Self::Source
            | Self::Governing
            | Self::LimitRange
            | Self::Counted => Weight::Better,
        }
    }

    /// What stands between the two objects in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::DependsOn => "depends, by its annotation, on",
            Self::Wave => "is of a later wave than",
            Self::Namespace => "is in",
            Self::Definition => "is of the kind defined by",
            Self::Served => "is of an API version served by",
            Self::ServiceAccount => "has pods that run as",
            Self::Volume => "has pods that mount",
            Self::Environment => "has pods with environment variables from",
            Self::ResourceClaim => "has pods that claim",
            Self::PodClass => "has pods of",
            Self::Role => "binds",
            Self::Token => "is a token of",
            Self::BackendService => "is answered through",
            Self::Backend => "is answered by the pods of",
            Self::Grant => "has pods with rights from",
            Self::PullSecret => "pulls images with",
            Self::Optional => "has pods that use, if it is there,",
            Self::Class => "names as its class",
            Self::Source => "takes its volume or content from",
            Self::Governing => "is governed by",
            Self::LimitRange => "has pods with defaults from",
            Self::Counted => "counts, and refuses everything until it has counted,",
        }
    }
}

/// One object waits for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct Edge<'o> {
    /// Who waits.
    pub from: &'o ObjectKey,
    /// For whom.
    pub on: &'o ObjectKey,
    /// Why.
    pub cause: Cause,
}

impl Edge<'_> {
    /// As a reason: `waits-for`.
    pub fn reason(&self) -> Reason {
        let health = match self.cause.needs() {
            Needs::Applied => "is there",
            Needs::Healthy => "is healthy",
        };
        Reason::new(
            "waits-for",
            format!(
                "it {} {}, and waits until that {health}",
                self.cause.words(),
                self.on
            ),
        )
        .with("on", self.on)
    }
}

/// A sentence: `ConfigMap shop/a is in Namespace shop`.
impl fmt::Display for Edge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.from, self.cause.words(), self.on)
    }
}
