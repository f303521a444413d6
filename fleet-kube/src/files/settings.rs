//! Small YAML files with known fields.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::FileError;

/// A kind of settings file: unknown fields must be refused.
pub(crate) trait Settings: DeserializeOwned {}

/// Reads settings from a text; none where it has no content.
///
/// # Errors
/// With the line, when it is not YAML, or a field is unknown or has a wrong value.
pub(crate) fn read_settings<T: Settings>(path: &Path, text: &str) -> Result<Option<T>, FileError> {
    // Errors would otherwise print the lines around the place.
    let options = serde_saphyr::options! { with_snippet: false };
    let found: Result<Option<T>, serde_saphyr::Error> = serde_saphyr::from_str_with_options(text, options);
    found.map_err(|error| {
        let words = error.without_snippet().to_string();
        let words = words.lines().next().unwrap_or("cannot be parsed");
        let place = |words: &&str| words.starts_with("error: line ") || words.starts_with("line ");
        let words = words
            .split_once(": ")
            .filter(|(before, _)| place(before))
            .map_or(words, |(_, why)| why);
        // Said before the words already.
        let words = words.split_once(" at line ").map_or(words, |(why, _)| why);
        wrong_yaml(path, &error, words)
    })
}

/// A parser's error with its line and other words than its own.
pub(crate) fn wrong_yaml(path: &Path, error: &serde_saphyr::Error, why: &str) -> FileError {
    let line = error
        .location()
        .and_then(|place| usize::try_from(place.line()).ok());
    match line.filter(|line| *line > 0) {
        Some(line) => FileError::at(path, line, why),
        None => FileError::new(path, why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Default, Debug, PartialEq)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        name: String,
        count: u32,
        on: bool,
        inner: Option<Box<Sample>>,
    }

    impl Settings for Sample {}

    #[test]
    fn settings_are_read_and_mistakes_have_lines() {
        let find = |text: &str| read_settings::<Sample>(Path::new("f"), text).map_err(|e| e.to_string());
        for empty in ["", "# nothing\n", "---\n", "null\n"] {
            assert_eq!(find(empty), Ok(None), "{empty:?}");
        }
        assert_eq!(find("{}"), Ok(Some(Sample::default())));
        let read = |text: &str| find(text).map(Option::unwrap_or_default);
        let full = "name: a\ncount: 7\ninner:\n  on: true\n";
        let inner = Some(Box::new(Sample {
            on: true,
            ..Sample::default()
        }));
        assert_eq!(
            read(full),
            Ok(Sample {
                name: "a".into(),
                count: 7,
                on: false,
                inner
            })
        );
        let cases = [
            ("name: a\nnmae: b\n", "f:2: unknown field `nmae`"),
            ("inner:\n  name: a\n  cuont: 1\n", "f:3: unknown field `cuont`"),
            ("name: a\nname: b\n", "f:2:"),
            ("name: [\n", "f:"),
            ("a: 1\n---\na: 2\n", "f:"),
            ("- name\n", "f:1:"),
            ("count: many\n", "f:1:"),
        ];
        for (text, expect) in cases {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expect), "{text:?}: {error}");
        }
    }
}
