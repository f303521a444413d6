/// Somebody with a token for each cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum User {
    /// The reconciler: cluster-admin by a role binding, with authorization and flow control like anybody.
    Fleet,
    /// A member of `system:masters`: neither authorization nor flow control.
    Admin,
    /// Everybody else who writes. The same rights as [`User::Fleet`].
    Someone,
}

impl User {
    /// The user's name, as the audit log and role bindings have it, and the name of its context in
    /// [`kubeconfig`](crate::ControlPlane::kubeconfig).
    pub fn as_str(self) -> &'static str {
        match self {
            User::Fleet => "fleet",
            User::Admin => "admin",
            User::Someone => "someone",
        }
    }
}
