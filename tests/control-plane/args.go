package main

import "strings"

// withDefaults returns the given flags after those defaults whose flag was not given.
// Both have the form `--name=value`.
func withDefaults(given, defaults []string) []string {
	named := map[string]bool{}
	for _, arg := range given {
		named[flagName(arg)] = true
	}
	var all []string
	for _, arg := range defaults {
		if !named[flagName(arg)] {
			all = append(all, arg)
		}
	}
	return append(all, given...)
}

func flagName(arg string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	return name
}
