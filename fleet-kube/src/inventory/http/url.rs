//! Addresses: made for a cluster, followed, and shown.

use std::fmt;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Stands for the cluster's name.
const PLACE: &str = "{cluster}";
/// All but the unreserved characters of RFC 3986, section 2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An address with a place for the cluster's name.
#[derive(Clone)]
pub(super) struct Template(String);

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(PLACE) {
            return Err("has no `{cluster}` in it, so all clusters would have one inventory".to_owned());
        }
        if text.contains('#') {
            return Err("has a fragment (`#`), which is not sent".to_owned());
        }
        if let Some(wrong) = text.replace(PLACE, "").chars().find(|c| !is_of_urls(*c)) {
            return Err(format!(
                "has {wrong:?} in it, which must be written in percent-encoding"
            ));
        }
        // The error's words do not quote.
        let probe = |name: &str| {
            let url = text.replace(PLACE, name).parse::<Uri>();
            url.map_err(|error| format!("is not valid: {error}"))
        };
        let (one, other) = (probe("a")?, probe("b")?);
        usable(&one)?;
        if one.authority() != other.authority() || one.scheme() != other.scheme() {
            return Err("has `{cluster}` before its path".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The address for a cluster.
    pub(super) fn url(&self, cluster: &str) -> Result<Uri, String> {
        // Dots cannot be escaped, and servers take these two for a way up.
        if matches!(cluster, "" | "." | "..") {
            return Err(format!(
                "{self}: there can be no inventory for a cluster named `{cluster}`"
            ));
        }
        let name = utf8_percent_encode(cluster, ESCAPED).to_string();
        let url = self.0.replace(PLACE, &name).parse();
        url.map_err(|_| format!("{self}: the address for cluster `{cluster}` is not valid"))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once('?') {
            None => f.write_str(&self.0),
            Some((before, _)) => write!(f, "{before}?…"),
        }
    }
}

/// What RFC 3986 permits somewhere in one.
fn is_of_urls(c: char) -> bool {
    c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c)
}

fn usable(url: &Uri) -> Result<(), &'static str> {
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err("is neither `http` nor `https`");
    }
    match url.authority() {
        Some(authority) if authority.as_str().contains('@') => Err("has a user or a password in it"),
        Some(_) => Ok(()),
        None => Err("names no server"),
    }
}

/// Where a redirect leads.
pub(super) fn redirect(from: &Uri, location: &str) -> Result<Uri, &'static str> {
    let location = location.split('#').next().unwrap_or_default();
    let to: Uri = if location.starts_with('/') && !location.starts_with("//") {
        let mut parts = from.clone().into_parts();
        parts.path_and_query = location.parse().ok();
        if parts.path_and_query.is_none() {
            return Err("is not valid");
        }
        Uri::from_parts(parts).map_err(|_| "is not valid")?
    } else {
        location.parse().map_err(|_| "is not valid")?
    };
    usable(&to)?;
    if from.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
        return Err("leads from `https` to `http`");
    }
    Ok(to)
}

/// Whether what is secret may go to both.
pub(super) fn same_server(one: &Uri, other: &Uri) -> bool {
    let port = |url: &Uri| {
        let usual = if url.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        url.port_u16().unwrap_or(usual)
    };
    let host = |url: &Uri| url.host().map(str::to_ascii_lowercase);
    one.scheme() == other.scheme() && host(one) == host(other) && port(one) == port(other)
}

/// For people: without what stands in the query, where tokens are.
pub(super) fn shown(url: &Uri) -> String {
    let query = if url.query().is_some() { "?…" } else { "" };
    let scheme = url.scheme_str().unwrap_or_default();
    let server = url.authority().map_or("", http::uri::Authority::as_str);
    format!("{scheme}://{server}{}{query}", url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_have_one_place_for_the_name() {
        let cases = [
            ("http://h/{cluster}", Ok("http://h/a%2Fb%20%C3%BC~.-_")),
            (
                "https://h:1/x?c={cluster}&d={cluster}",
                Ok("https://h:1/x?c=a%2Fb%20%C3%BC~.-_&d=a%2Fb%20%C3%BC~.-_"),
            ),
            ("https://h/x", Err("no `{cluster}`")),
            ("https://{cluster}.h/x", Err("before its path")),
            ("https://h/x#{cluster}", Err("fragment")),
            ("ftp://h/{cluster}", Err("neither")),
            ("h/{cluster}", Err("not valid: invalid format")),
            ("http://[h/{cluster}", Err("not valid: invalid ")),
            ("http://h/{cluster}/a b", Err("has ' ' in it")),
            ("http://h/{name}/{cluster}", Err("has '{' in it")),
            ("/{cluster}", Err("neither")),
            ("https://user:secret@h/{cluster}", Err("a password")),
        ];
        for (text, expect) in cases {
            match (Template::parse(text), expect) {
                (Ok(template), Ok(url)) => assert_eq!(template.url("a/b ü~.-_").unwrap(), url),
                (Err(why), Err(words)) => assert!(why.contains(words), "{text}: {why}"),
                (parsed, _) => panic!("{text}: {:?}", parsed.map(|template| template.0)),
            }
        }
        let template = Template::parse("https://h/{cluster}/x?token=hunter2").unwrap();
        for name in ["", ".", ".."] {
            let why = template.url(name).unwrap_err();
            assert!(
                why.contains("no inventory for") && !why.contains("hunter2"),
                "{why}"
            );
        }
    }

    #[test]
    fn redirects_lead_somewhere_safe() {
        let cases = [
            ("https://h/a?b", "/c?d#e", Ok("https://h/c?d")),
            ("http://h/a", "https://other/x", Ok("https://other/x")),
            ("http://h/a", "http://other/x", Ok("http://other/x")),
            ("https://h/a", "http://h/a", Err("from `https` to `http`")),
            ("http://h/a", "ftp://h/a", Err("neither")),
            ("http://h/a", "//other/a", Err("neither")),
            ("http://h/a", "other", Err("neither")),
            ("http://h/a", "", Err("not valid")),
            ("http://h/a", "http://u:p@h/", Err("a password")),
        ];
        for (from, location, expect) in cases {
            let to = redirect(&from.parse().unwrap(), location);
            match (&to, expect) {
                (Ok(to), Ok(url)) => assert_eq!(*to, url),
                (Err(why), Err(words)) => assert!(why.contains(words), "{location}: {why}"),
                _ => panic!("{from} to {location}: {to:?}"),
            }
        }
    }

    #[test]
    fn a_server_is_scheme_host_and_port() {
        let cases = [
            ("https://h/a", "https://H:443/b", true),
            ("http://h/a", "http://h:80/b", true),
            ("http://h/a", "https://h/a", false),
            ("https://h/a", "https://h:444/a", false),
            ("https://h/a", "https://g/a", false),
        ];
        for (one, other, same) in cases {
            assert_eq!(
                same_server(&one.parse().unwrap(), &other.parse().unwrap()),
                same,
                "{one} {other}"
            );
        }
    }
}
