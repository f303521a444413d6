//! From a context of a kubeconfig to a client's configuration.

use std::{borrow::Cow, path::Path};

use fleet_core::{Digest, DigestBuilder, Remedy};
use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::CredentialPlugins;
use crate::files::{FileError, wrong_yaml};

/// Reads a kubeconfig. Errors say where, never what stands there.
pub(super) fn parse(path: &Path, text: &str) -> Result<Kubeconfig, FileError> {
    Kubeconfig::from_yaml(text).map_err(|error| match error {
        KubeconfigError::Parse(error) => wrong_yaml(path, &error, "is not a kubeconfig"),
        // Of the others only the kind can be wrong in a text alone.
        error => FileError::new(path, error.to_string()),
    })
}

/// What is done about files that a kubeconfig names.
#[derive(Clone, Copy)]
pub(super) enum Files<'a> {
    /// They are read, relative to this folder.
    In(&'a Path),
    /// Connecting by such a context fails.
    Refused,
}

/// Why no connection can be made by a context.
pub(super) enum Problem {
    ContextMissing,
    ContextEmpty,
    ClusterMissing(String),
    UserMissing(String),
    Plugin {
        user: String,
        plugin: &'static str,
    },
    /// This field names a file.
    File(&'static str),
    /// What it is, and why it cannot be used.
    Unusable(&'static str, String),
}

impl Problem {
    /// What the caller can do.
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Plugin { .. } | Self::File(_) => Remedy::Policy,
            _ => Remedy::Invalid,
        }
    }

    /// With names that stand in the kubeconfig, and what was found in files it names.
    pub(super) fn words(&self) -> String {
        match self {
            Self::ClusterMissing(name) => format!("there is no cluster `{name}`"),
            Self::UserMissing(name) => format!("there is no user `{name}`"),
            Self::Plugin { user, plugin } => format!(
                "user `{user}` needs a credential plugin (`{plugin}`), and those are not allowed here"
            ),
            Self::File(field) => format!("`{field}` names a file, and those are not read here"),
            Self::ContextMissing => "there is no such context".to_owned(),
            Self::ContextEmpty => "it names no cluster".to_owned(),
            Self::Unusable(what, why) => format!("its {what} cannot be used: {why}"),
        }
    }

    /// With nothing that stands in the kubeconfig.
    pub(super) fn words_without_content(&self) -> Cow<'static, str> {
        let words = match self {
            Self::ContextMissing => "its current context is not in its kubeconfig",
            Self::ContextEmpty => "the current context of its kubeconfig names no cluster",
            Self::ClusterMissing(_) => "its cluster is not there",
            Self::UserMissing(_) => "its user is not there",
            Self::Plugin { .. } => "its user needs a credential plugin, and those are not allowed here",
            Self::File(_) => {
                "it names a file, which would be one of this program's machine: put the file's content in its place"
            }
            Self::Unusable(what, _) => return format!("its {what} cannot be used").into(),
        };
        words.into()
    }
}

/// What to connect with; or why there is nothing.
pub(super) async fn config(
    kubeconfig: &Kubeconfig,
    files: Files<'_>,
    context: &str,
    plugins: CredentialPlugins,
) -> Result<Config, Problem> {
    let chosen = choose(kubeconfig, files, context, plugins)?;
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(chosen, &options).await;
    let config = config.map_err(unusable)?;
    match &config.root_cert {
        Some(found) if found.is_empty() => {
            let why = "there is no certificate in it".to_owned();
            Err(Problem::Unusable("`certificate-authority`", why))
        }
        _ => Ok(config),
    }
}

fn unusable(error: KubeconfigError) -> Problem {
    let what = match &error {
        KubeconfigError::MissingClusterUrl | KubeconfigError::ParseClusterUrl(_) => "`server`",
        KubeconfigError::ParseProxyUrl(_) => "`proxy-url` (or HTTPS_PROXY)",
        KubeconfigError::LoadCertificateAuthority(_) | KubeconfigError::ParseCertificates(_) => {
            "`certificate-authority`"
        }
        KubeconfigError::LoadClientCertificate(_) => "`client-certificate`",
        KubeconfigError::LoadClientKey(_) => "`client-key`",
        _ => "content",
    };
    let why = match error {
        // Holds the text it could not parse.
        KubeconfigError::Parse(_) => "cannot be parsed".to_owned(),
        error => error.to_string(),
    };
    Problem::Unusable(what, why)
}

/// A digest of all that a connection by this context is made of; none when it cannot be made.
///
/// The file of a token is left out: the client reads it again by itself.
pub(super) fn fingerprint(
    kubeconfig: &Kubeconfig,
    files: Files<'_>,
    context: &str,
    plugins: CredentialPlugins,
) -> Option<Digest> {
    let chosen = choose(kubeconfig, files, context, plugins).ok()?;
    // Maps in it have no order of their own.
    let mut value = serde_json::to_value(&chosen).ok()?;
    value.sort_all_objects();
    let mut digest = DigestBuilder::new().bytes(&serde_json::to_vec(&value).ok()?);
    let clusters = chosen.clusters.iter().filter_map(|named| named.cluster.as_ref());
    let users = chosen
        .auth_infos
        .iter()
        .filter_map(|named| named.auth_info.as_ref());
    let files = clusters
        .map(|cluster| &cluster.certificate_authority)
        .chain(users.flat_map(|user| [&user.client_certificate, &user.client_key]));
    for file in files.flatten() {
        digest = digest.bytes(&std::fs::read(file).unwrap_or_default());
    }
    Some(digest.finish())
}

/// The context with its user and cluster alone, paths made absolute.
fn choose(
    kubeconfig: &Kubeconfig,
    files: Files<'_>,
    name: &str,
    plugins: CredentialPlugins,
) -> Result<Kubeconfig, Problem> {
    let context = kubeconfig.contexts.iter().find(|context| context.name == name);
    let context = context.ok_or(Problem::ContextMissing)?;
    let parts = context.context.as_ref().ok_or(Problem::ContextEmpty)?;

    let cluster = kubeconfig
        .clusters
        .iter()
        .find(|cluster| cluster.name == parts.cluster);
    let mut cluster = cluster
        .cloned()
        .ok_or_else(|| Problem::ClusterMissing(parts.cluster.clone()))?;
    if let Some(cluster) = &mut cluster.cluster {
        files.name("certificate-authority", &mut cluster.certificate_authority)?;
    }

    // Clients connect without credentials when the user is missing; here that is a mistake.
    let wanted = parts.user.as_deref().unwrap_or_default();
    let user = kubeconfig.auth_infos.iter().find(|user| user.name == wanted);
    let mut user = user
        .cloned()
        .ok_or_else(|| Problem::UserMissing(wanted.to_owned()))?;
    if let Some(auth) = &mut user.auth_info {
        let plugin = if auth.exec.is_some() {
            Some("exec")
        } else {
            auth.auth_provider.is_some().then_some("auth-provider")
        };
        if let (Some(plugin), CredentialPlugins::Refuse) = (plugin, plugins) {
            return Err(Problem::Plugin {
                user: wanted.to_owned(),
                plugin,
            });
        }
        files.name("client-certificate", &mut auth.client_certificate)?;
        files.name("client-key", &mut auth.client_key)?;
        files.name("tokenFile", &mut auth.token_file)?;
        // A bare name is looked up in PATH.
        if let (Some(exec), Files::In(dir)) = (&mut auth.exec, files)
            && exec
                .command
                .as_ref()
                .is_some_and(|command| command.contains(std::path::MAIN_SEPARATOR))
        {
            absolute(dir, &mut exec.command);
        }
    }
    Ok(Kubeconfig {
        clusters: vec![cluster],
        auth_infos: vec![user],
        contexts: vec![context.clone()],
        ..Kubeconfig::default()
    })
}

impl Files<'_> {
    fn name(self, field: &'static str, path: &mut Option<String>) -> Result<(), Problem> {
        match self {
            Self::In(dir) => absolute(dir, path),
            Self::Refused if path.as_ref().is_some_and(|path| !path.is_empty()) => {
                return Err(Problem::File(field));
            }
            Self::Refused => {}
        }
        Ok(())
    }
}

/// Paths in a kubeconfig are relative to its folder.
fn absolute(dir: &Path, path: &mut Option<String>) {
    if let Some(text) = path
        .as_mut()
        .filter(|text| !text.is_empty() && Path::new(text).is_relative())
        && let Some(joined) = dir.join(&*text).to_str()
    {
        joined.clone_into(text);
    }
}
