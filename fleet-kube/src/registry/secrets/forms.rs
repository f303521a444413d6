//! The forms in which a Secret says how to connect. Nothing here quotes what stands in one.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kube::config::Kubeconfig;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    describe::{Name, name},
    listed::Secret,
};

/// A kubeconfig, and which of its contexts counts.
pub(super) struct Access {
    pub(super) kubeconfig: Kubeconfig,
    pub(super) context: String,
}

/// How the Secret says to connect.
pub(super) fn access(secret: &Secret, keys: &[String]) -> Result<Access, String> {
    let holds = |key: &str| secret.data.as_ref().is_some_and(|data| data.contains_key(key));
    if let Some(key) = keys.iter().find(|key| holds(key)) {
        return by_kubeconfig(&text(secret, key)?).map_err(|why| format!("its `{key}` {why}"));
    }
    if holds("server") && holds("config") {
        return by_argo(&text(secret, "server")?, &text(secret, "config")?);
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    Err(format!(
        "it has no kubeconfig ({}), and not both `server` and `config`",
        keys.join(" or ")
    ))
}

/// What Argo CD calls the cluster: also where the rest of it is not as it should be. An empty name is none.
pub(super) fn argo_name(secret: &Secret, keys: &[String]) -> Option<Name> {
    let data = secret.data.as_ref()?;
    let is_argo = data.contains_key("server") && data.contains_key("config");
    if !is_argo && keys.iter().any(|key| data.contains_key(key)) || !data.contains_key("name") {
        return None;
    }
    match text(secret, "name") {
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(name(&text)),
        Err(_) => Some(Err("is not text")),
    }
}

fn text(secret: &Secret, key: &str) -> Result<String, String> {
    let value = secret.data.as_ref().and_then(|data| data.get(key));
    let bytes = STANDARD.decode(value.map_or("", String::as_str));
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| format!("its `{key}` is not text"))
}

fn by_kubeconfig(text: &str) -> Result<Access, &'static str> {
    let kubeconfig = Kubeconfig::from_yaml(text).map_err(|_| "is not a kubeconfig")?;
    let current = kubeconfig.current_context.clone().filter(|name| !name.is_empty());
    let context = match (current, kubeconfig.contexts.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only.name.clone(),
        (None, []) => return Err("is a kubeconfig without contexts"),
        (None, _) => return Err("is a kubeconfig with several contexts, and none of them is current"),
    };
    Ok(Access { kubeconfig, context })
}

/// `config` of Argo CD: <https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters>.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Argo {
    username: Option<String>,
    password: Option<String>,
    bearer_token: Option<String>,
    tls_client_config: Option<ArgoTls>,
    aws_auth_config: Option<Value>,
    exec_provider_config: Option<ArgoExec>,
    proxy_url: Option<String>,
}

/// Data in base64, as in a kubeconfig.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ArgoTls {
    insecure: bool,
    server_name: Option<String>,
    ca_data: Option<String>,
    cert_data: Option<String>,
    key_data: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ArgoExec {
    command: String,
    args: Option<Vec<String>>,
    env: Option<BTreeMap<String, String>>,
    api_version: Option<String>,
}

fn by_argo(server: &str, config: &str) -> Result<Access, String> {
    let wrong = "its `config` is not JSON as Argo CD writes it";
    let argo: Argo = serde_json::from_str(config).map_err(|_| wrong)?;
    if argo.aws_auth_config.is_some() {
        return Err("its `config` has an `awsAuthConfig`, which is not known here".to_owned());
    }
    let tls = argo.tls_client_config.unwrap_or_default();
    let mut user = json!({
        "username": argo.username, "password": argo.password, "token": argo.bearer_token,
        "client-certificate-data": tls.cert_data, "client-key-data": tls.key_data,
    });
    if let Some(exec) = argo.exec_provider_config {
        let env: Vec<Value> = exec
            .env
            .into_iter()
            .flatten()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        user["exec"] = json!({
            "command": exec.command, "args": exec.args, "env": env, "apiVersion": exec.api_version,
            "interactiveMode": "Never",
        });
    }
    const NAME: &str = "argo-cd";
    let kubeconfig = json!({
        "clusters": [{"name": NAME, "cluster": {
            "server": server.trim(), "certificate-authority-data": tls.ca_data, "tls-server-name": tls.server_name,
            "insecure-skip-tls-verify": tls.insecure, "proxy-url": argo.proxy_url,
        }}],
        "users": [{"name": NAME, "user": user}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
    });
    let kubeconfig = serde_json::from_value(kubeconfig).map_err(|_| wrong)?;
    Ok(Access {
        kubeconfig,
        context: NAME.to_owned(),
    })
}
