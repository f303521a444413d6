use std::fs;
use std::path::Path;

use super::{build, files};
use crate::Result;

/// A name for everything that the programs are made from: sources, requirements, compiler and its flags.
pub(super) fn of(sources: &Path, mod_file: &Path, go: &str) -> Result<String> {
    let mut inputs = files(sources, &|path| path.extension().is_some_and(|it| it == "go"))?;
    inputs.extend([mod_file.to_owned(), mod_file.with_extension("sum")]);
    inputs.sort();
    let mut hash = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        // With its length before it, no end of one part can be taken for the beginning of the next.
        hash.update(&bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    for input in inputs {
        let name = input.strip_prefix(sources).unwrap_or(&input);
        add(name.as_os_str().as_encoded_bytes());
        add(&fs::read(&input).map_err(|error| format!("read {}: {error}", input.display()))?);
    }
    add(go.as_bytes());
    for flag in build::FLAGS {
        add(flag.as_bytes());
    }
    Ok(hash.finalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_changes_it() {
        let dir = std::env::temp_dir().join(format!("xtask-fingerprint-{}", std::process::id()));
        fs::create_dir_all(dir.join("sub")).expect("a directory");
        let write = |name: &str, text: &str| fs::write(dir.join(name), text).expect("written");
        for name in [
            "main.go",
            "sub/main.go",
            "one.mod",
            "one.sum",
            "two.mod",
            "two.sum",
        ] {
            write(name, "");
        }
        let of = |go| of(&dir, &dir.join("one.mod"), go).expect("a fingerprint");
        let first = of("go1");
        assert_eq!(first, of("go1"));
        assert_ne!(first, of("go2"));
        for name in ["main.go", "sub/main.go", "one.mod", "one.sum"] {
            write(name, "changed");
            assert_ne!(first, of("go1"), "{name}");
            write(name, "");
        }
        for name in ["two.mod", "README.md"] {
            write(name, "changed");
            assert_eq!(first, of("go1"), "{name}");
        }
        fs::remove_dir_all(&dir).expect("removed");
    }
}
