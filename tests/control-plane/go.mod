// The real requirements are in one file per Kubernetes minor: every go command in this directory needs one,
// as in `go vet -trimpath -modfile=kubernetes-1.36.mod ./...`. `cargo xtask control-plane` builds with them
// (and with -trimpath: without it, everything is compiled once more).
// This file only marks the root of the module.
//
// To another patch version: set k8s.io/kubernetes to v1.N.P and every module of k8s.io that has v0.N.Q to
// v0.N.P, then `go mod tidy -modfile=...`. The staging modules must all be required: k8s.io/kubernetes itself
// asks for a version v0.0.0 of them that does not exist.
module fleet.test/control-plane

go 1.26.0
