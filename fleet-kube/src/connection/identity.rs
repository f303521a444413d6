//! In whose name requests are made.

use fleet_core::{Fault, Identity, Remedy};
use http::{HeaderMap, HeaderName, HeaderValue};
use kube::config::AuthInfo;

const USER: &str = "impersonate-user";
const GROUP: &str = "impersonate-group";
const UID: &str = "impersonate-uid";
const EXTRA: &str = "impersonate-extra-";

/// The headers that impersonate `identity`.
pub(crate) fn headers(identity: &Identity) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    add(&mut headers, USER, &identity.user)?;
    identity
        .groups
        .iter()
        .try_for_each(|group| add(&mut headers, GROUP, group))?;
    Ok(headers)
}

/// Takes the impersonation out of a kubeconfig's user and makes it headers, so that an identity replaces it. Two
/// impersonations in one request would be an accident.
pub(crate) fn take(auth: &mut AuthInfo) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    let user = auth.impersonate.take();
    user.iter().try_for_each(|user| add(&mut headers, USER, user))?;
    let uid = auth.impersonate_uid.take();
    uid.iter().try_for_each(|uid| add(&mut headers, UID, uid))?;
    let groups = auth.impersonate_groups.take();
    groups
        .iter()
        .flatten()
        .try_for_each(|group| add(&mut headers, GROUP, group))?;
    for (key, values) in auth.impersonate_user_extra.take().into_iter().flatten() {
        let name = format!("{EXTRA}{}", percent_encoded(&key));
        values
            .iter()
            .try_for_each(|value| add(&mut headers, &name, value))?;
    }
    Ok(headers)
}

fn add(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Fault> {
    let wrong = || {
        Fault::new(
            Remedy::Invalid,
            format!("cannot impersonate: `{value}` cannot be sent as {name}"),
        )
    };
    if value.is_empty() {
        return Err(wrong());
    }
    let name = HeaderName::try_from(name).map_err(|_| wrong())?;
    headers.append(name, HeaderValue::from_str(value).map_err(|_| wrong())?);
    Ok(())
}

/// As the API server expects keys that are no header names.
fn percent_encoded(key: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    key.bytes()
        .map(|b| {
            if keep(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfigs_impersonation_is_taken_over_as_it_is() {
        let mut auth = AuthInfo {
            impersonate: Some("u".to_owned()),
            impersonate_groups: Some(vec!["g".to_owned(), "h".to_owned()]),
            impersonate_uid: Some("7".to_owned()),
            impersonate_user_extra: Some([("a/b".to_owned(), vec!["1".to_owned()])].into()),
            ..AuthInfo::default()
        };
        let headers = take(&mut auth).unwrap();
        let all = |name: &str| {
            headers
                .get_all(name)
                .iter()
                .map(|v| v.to_str().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (all(USER), all(GROUP), all(UID)),
            (vec!["u"], vec!["g", "h"], vec!["7"])
        );
        assert_eq!(all("impersonate-extra-a%2fb"), ["1"]);
        assert!(auth.impersonate.is_none() && auth.impersonate_groups.is_none());
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for user in ["", "a\nb"] {
            assert_eq!(headers(&Identity::new(user)).unwrap_err().remedy, Remedy::Invalid);
        }
    }
}
