//! What the program says to what it cannot use.

use std::process::Command;

#[test]
fn mistakes_are_told_and_end_it() {
    let dir = std::env::temp_dir();
    let missing = dir.join("there-is-no-such-kubeconfig");
    let missing = missing.to_str().unwrap();
    for (words, expect) in [
        (&[][..], "usage: embed KUBECONFIG"),
        (&[missing], "there-is-no-such-kubeconfig"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_embed"))
            .args(words)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(expect), "{said}");
    }
}
