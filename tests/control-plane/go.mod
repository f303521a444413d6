// The real requirements are in one file per Kubernetes minor: every go command in this directory needs one,
// as in `go vet -modfile=kubernetes-1.36.mod ./...`. `cargo xtask control-plane` builds with them.
// This file only marks the root of the module.
module fleet.test/control-plane

go 1.26.0
