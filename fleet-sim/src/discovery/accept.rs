//! Whether a form of an answer is accepted: the header `Accept` as API servers read it
//! (`k8s.io/apiserver/pkg/endpoints/handlers/negotiation`, `github.com/munnerz/goautoneg`), where only JSON is served.

/// The forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the path says it.
    Plain,
    /// `APIGroupDiscoveryList` of `apidiscovery.k8s.io/v2`.
    Aggregated,
}

/// Whether a form is accepted. How much one is wanted does not matter: where both forms are served, the aggregated one
/// is asked about first.
pub(super) fn accepts(accept: Option<&str>, form: Form) -> bool {
    let Some(accept) = accept.filter(|accept| !accept.is_empty()) else {
        return form == Form::Plain;
    };
    accept.split(',').any(|clause| clause_accepts(clause, form))
}

/// Whether a request comes as far as to where forms are asked about, where that is a route of go-restful: it knows no
/// `application/*`, and no parameters (`matchesAccept` of `github.com/emicklei/go-restful`).
pub(super) fn reaches_route(accept: Option<&str>) -> bool {
    let Some(accept) = accept.filter(|accept| !accept.is_empty()) else {
        return true;
    };
    accept.split(',').any(|clause| {
        let media_type = clause.split(';').next().map(trim);
        matches!(media_type, Some("*/*" | "application/json"))
    })
}

fn clause_accepts(clause: &str, form: Form) -> bool {
    let mut parts = clause.split(';');
    let media_type = parts.next().unwrap_or("");
    let media_type: Vec<&str> = media_type.split('/').map(trim).collect();
    if !matches!(media_type[..], ["*"] | ["*", "*"] | ["application", "*" | "json"]) {
        return false;
    }
    let (mut group, mut version, mut kind) = (None, None, None);
    for parameter in parts {
        // One without a value, or with two, is passed over.
        let Some((name, value)) = parameter.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            continue;
        };
        if value.contains('=') {
            continue;
        }
        let value = trim(value);
        match trim(name) {
            "g" => group = Some(value),
            "v" => version = Some(value),
            "as" => kind = Some(value),
            // None of these documents is for watching, or of a version of a server.
            "stream" if !value.is_empty() && value != "watch" => return false,
            "sv" if !value.is_empty() => return false,
            _ => {}
        }
    }
    let wanted = (group, version, kind);
    match form {
        Form::Plain => wanted == (None, None, None),
        // v2beta1 is no longer served (`AggregatedDiscoveryRemoveBetaType`).
        Form::Aggregated => {
            wanted
                == (
                    Some("apidiscovery.k8s.io"),
                    Some("v2"),
                    Some("APIGroupDiscoveryList"),
                )
        }
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_servers_read_them() {
        let agg = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
        // The header, whether the plain form is accepted, whether the aggregated one is.
        let cases = [
            ("", true, false),
            ("*", true, false),
            ("*/*", true, false),
            ("application/*", true, false),
            ("application/json", true, false),
            (" application/json ; pretty=1 ", true, false),
            ("application/json;q=0.1", true, false),
            ("text/html", false, false),
            ("application/yaml", false, false),
            ("application/json/x", false, false),
            ("json", false, false),
            (agg, false, true),
            (
                "*/*;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io",
                false,
                true,
            ),
            (&format!("{agg};profile=nopeer"), false, true),
            (&format!("{agg};more"), false, true),
            (beta, false, false),
            (&format!("{agg},{beta},application/json"), true, true),
            (&format!("application/json, {agg}"), true, true),
            (&format!("text/html,{beta} , */*"), true, false),
            (
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
                true,
                false,
            ),
            ("application/json;as=Table;v=v1;g=meta.k8s.io", false, false),
            ("application/json;sv=v1", false, false),
            ("application/json;stream=other", false, false),
        ];
        for (accept, plain, aggregated) in cases {
            assert_eq!(accepts(Some(accept), Form::Plain), plain, "{accept:?} plain");
            assert_eq!(
                accepts(Some(accept), Form::Aggregated),
                aggregated,
                "{accept:?} aggregated"
            );
        }
        for (accept, reaches) in [
            ("", true),
            ("*/*", true),
            ("text/html, */*;q=0.1", true),
            (" application/json ; sv=1", true),
            ("*", false),
            ("application/*", false),
            ("text/html", false),
        ] {
            assert_eq!(reaches_route(Some(accept)), reaches, "{accept:?}");
        }
        assert!(reaches_route(None));
        assert!(accepts(None, Form::Plain) && !accepts(None, Form::Aggregated));
    }
}
