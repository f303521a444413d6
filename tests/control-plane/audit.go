package main

import "os"

// auditPolicy notes every request when its answer begins and when it ends, without bodies.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

// auditArgs are the flags that make the API server write an audit log, if one is wanted.
func auditArgs(policyFile, log string) ([]string, error) {
	if log == "" {
		return nil, nil
	}
	if err := os.WriteFile(policyFile, []byte(auditPolicy), 0o600); err != nil {
		return nil, err
	}
	return []string{
		"--audit-policy-file=" + policyFile,
		"--audit-log-path=" + log,
		"--audit-log-format=json",
		// A request that was answered is in the file.
		"--audit-log-mode=blocking",
		// Megabytes before the file is rotated away: never, in a test.
		"--audit-log-maxsize=100000",
	}, nil
}
