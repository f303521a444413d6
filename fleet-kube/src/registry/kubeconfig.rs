//! From a context of a kubeconfig to a client's configuration.

use std::path::Path;

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

/// What to connect with; or what the caller can do, and why it fails.
pub(super) async fn config(
    kubeconfig: &Kubeconfig,
    dir: &Path,
    context: &str,
    plugins: CredentialPlugins,
) -> Result<Config, (Remedy, String)> {
    let chosen = choose(kubeconfig, dir, context, plugins)?;
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    Config::from_custom_kubeconfig(chosen, &options)
        .await
        .map_err(|error| {
            let why = match error {
                // Holds the text it could not parse.
                KubeconfigError::Parse(_) => "cannot be parsed".to_owned(),
                error => error.to_string(),
            };
            (Remedy::Invalid, why)
        })
}

/// A digest of all that a connection by this context is made of; none when it cannot be made.
///
/// The file of a token is left out: the client reads it again by itself.
pub(super) fn fingerprint(
    kubeconfig: &Kubeconfig,
    dir: &Path,
    context: &str,
    plugins: CredentialPlugins,
) -> Option<Digest> {
    let chosen = choose(kubeconfig, dir, context, plugins).ok()?;
    let mut digest = DigestBuilder::new().bytes(&serde_json::to_vec(&chosen).ok()?);
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
    dir: &Path,
    name: &str,
    plugins: CredentialPlugins,
) -> Result<Kubeconfig, (Remedy, String)> {
    let invalid = |why: String| (Remedy::Invalid, why);
    let context = kubeconfig.contexts.iter().find(|context| context.name == name);
    let context = context.ok_or_else(|| invalid("is not there".to_owned()))?;
    let parts = context
        .context
        .as_ref()
        .ok_or_else(|| invalid("says nothing".to_owned()))?;

    let cluster = kubeconfig
        .clusters
        .iter()
        .find(|cluster| cluster.name == parts.cluster);
    let mut cluster = cluster
        .cloned()
        .ok_or_else(|| invalid(format!("there is no cluster `{}`", parts.cluster)))?;
    if let Some(cluster) = &mut cluster.cluster {
        absolute(dir, &mut cluster.certificate_authority);
    }

    // Clients connect without credentials when the user is missing; here that is a mistake.
    let wanted = parts.user.as_deref().unwrap_or_default();
    let user = kubeconfig.auth_infos.iter().find(|user| user.name == wanted);
    let mut user = user
        .cloned()
        .ok_or_else(|| invalid(format!("there is no user `{wanted}`")))?;
    if let Some(auth) = &mut user.auth_info {
        let plugin = if auth.exec.is_some() {
            Some("exec")
        } else {
            auth.auth_provider.is_some().then_some("auth-provider")
        };
        if let (Some(plugin), CredentialPlugins::Refuse) = (plugin, plugins) {
            let why = format!(
                "user `{wanted}` needs a credential plugin (`{plugin}`), and those are not allowed here"
            );
            return Err((Remedy::Policy, why));
        }
        absolute(dir, &mut auth.client_certificate);
        absolute(dir, &mut auth.client_key);
        absolute(dir, &mut auth.token_file);
        // A bare name is looked up in PATH.
        if let Some(exec) = &mut auth.exec
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
