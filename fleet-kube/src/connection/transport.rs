//! What a failure below HTTP means.

use std::{error::Error, io, sync::Arc};

use fleet_core::{Fault, Remedy};

use super::reply::Broken;

/// Sorts a failed exchange: nothing was sent when no connection came about or no credentials could be had, otherwise
/// nobody knows.
pub(crate) fn broken(error: kube::Error) -> Broken {
    if let Some(fault) = credentials(&error) {
        return Broken::NotSent(fault);
    }
    let refused = |e: &(dyn Error + 'static)| {
        e.downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
            || e.downcast_ref::<io::Error>()
                .is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
    };
    let connect = chain(&error).any(refused);
    let what = if connect {
        "no connection"
    } else {
        "the connection broke"
    };
    let mut fault = Fault::new(Remedy::Unreachable, format!("{what}: {}", words(&error)));
    fault.source = Some(Arc::new(error));
    if connect {
        Broken::NotSent(fault)
    } else {
        Broken::Lost(fault)
    }
}

/// A configuration no client can be made from.
pub(crate) fn unusable(error: kube::Error) -> Fault {
    credentials(&error).or_else(|| proxy(&error)).unwrap_or_else(|| {
        let mut fault = Fault::new(
            Remedy::Invalid,
            format!("unusable configuration: {}", words(&error)),
        );
        fault.source = Some(Arc::new(error));
        fault
    })
}

/// The fault for missing credentials. The output of a credential plugin may hold some: neither its text nor the
/// error is kept.
fn credentials(error: &kube::Error) -> Option<Fault> {
    let message = "no credentials: the kubeconfig's token file, plugin or provider gave none";
    chain(error)
        .any(<dyn Error>::is::<kube::client::AuthError>)
        .then(|| Fault::new(Remedy::Forbidden, message))
}

/// The fault for a proxy that cannot be used. Its URL may hold a password: neither that nor the error is kept.
fn proxy(error: &kube::Error) -> Option<Fault> {
    let why = match error {
        kube::Error::ProxyProtocolUnsupported { .. } => {
            "its protocol is none of `http`, `https` and `socks5`"
        }
        kube::Error::ProxyProtocolDisabled { .. } => {
            "this program has no support for its protocol: build it with kube's feature `http-proxy` or `socks5`"
        }
        _ => return None,
    };
    let message =
        format!("unusable configuration: the proxy (`proxy-url`, or HTTPS_PROXY) cannot be used: {why}");
    Some(Fault::new(Remedy::Invalid, message))
}

/// The error and all behind it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |e| (*e).source())
}

/// The innermost words, with one level above when they are short of context. The outer levels repeat them.
pub(crate) fn words(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for level in chain(error).skip(1) {
        let text = level.to_string();
        if !text.is_empty() && !said.iter().any(|before| before.contains(&text)) {
            said.retain(|before| !text.contains(before.as_str()));
            said.push(text);
        }
    }
    if said.is_empty() {
        error.to_string()
    } else {
        said.join(": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(error: impl Error + Send + Sync + 'static) -> kube::Error {
        kube::Error::Service(Box::new(error))
    }

    #[test]
    fn only_a_refused_connection_is_certain() {
        let cases = [
            (io::ErrorKind::ConnectionRefused, true),
            (io::ErrorKind::ConnectionReset, false),
            (io::ErrorKind::BrokenPipe, false),
            (io::ErrorKind::TimedOut, false),
        ];
        for (kind, not_sent) in cases {
            let broken = broken(service(io::Error::new(kind, "told")));
            assert_eq!(matches!(&broken, Broken::NotSent(_)), not_sent, "{kind:?}");
            let fault = broken.fault();
            assert!(
                fault.remedy == Remedy::Unreachable && fault.message.ends_with(": told"),
                "{fault}"
            );
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        let error = service(kube::client::AuthError::AuthExec("token hunter2".to_owned()));
        let Broken::NotSent(fault) = broken(error) else {
            panic!("nothing was sent")
        };
        assert_eq!(fault.remedy, Remedy::Forbidden);
        assert!(!format!("{fault:?}").contains("hunter2") && fault.source.is_none());
    }

    #[test]
    fn passwords_of_proxies_are_not_shown() {
        let proxy_url = || Box::new("socks5://me:hunter2@proxy:1080".parse().unwrap());
        for (error, expect) in [
            (
                kube::Error::ProxyProtocolUnsupported {
                    proxy_url: proxy_url(),
                },
                "is none of",
            ),
            (
                kube::Error::ProxyProtocolDisabled {
                    proxy_url: proxy_url(),
                    protocol_feature: "kube/socks5",
                },
                "feature `http-proxy` or `socks5`",
            ),
        ] {
            let fault = unusable(error);
            assert!(
                fault.remedy == Remedy::Invalid && fault.message.contains(expect),
                "{fault}"
            );
            assert!(!format!("{fault:?}").contains("hunter2") && fault.source.is_none());
        }
    }
}
