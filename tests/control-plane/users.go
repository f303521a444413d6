package main

import (
	"bytes"
	"crypto/rand"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Names of the users. The last two are the control plane's own: they have names that set their requests
// apart in the audit log, and belong to system:masters.
const (
	// userAdmin belongs to system:masters: no authorization, no flow control.
	userAdmin = "admin"
	// userFleet is the reconciler: cluster-admin by RBAC, as a real one would be.
	userFleet = "fleet"
	// userSomeone has the same rights and plays everybody else who writes.
	userSomeone     = "someone"
	userControllers = "controllers"
	userPods        = "pods"
)

// humans are the users that are told to the outside.
var humans = []string{userFleet, userAdmin, userSomeone}

const masters = "system:masters"

// users are the tokens by user name.
type users map[string]string

// loadUsers reads the token file of the API server, or makes it.
func loadUsers(file string) (users, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		content, err = newTokenFile()
		if err != nil {
			return nil, err
		}
		err = writeFile(file, content)
	}
	if err != nil {
		return nil, err
	}
	reader := csv.NewReader(bytes.NewReader(content))
	reader.FieldsPerRecord = -1
	records, err := reader.ReadAll()
	if err != nil {
		return nil, err
	}
	tokens := users{}
	for _, record := range records {
		if len(record) < 2 {
			return nil, fmt.Errorf("%s: a line needs a token and a name", file)
		}
		tokens[record[1]] = record[0]
	}
	return tokens, nil
}

// newTokenFile makes a token for every user. A line is: token, name, uid, groups.
func newTokenFile() ([]byte, error) {
	var content bytes.Buffer
	writer := csv.NewWriter(&content)
	for _, user := range []struct{ name, group string }{
		{userAdmin, masters},
		{userFleet, ""},
		{userSomeone, ""},
		{userControllers, masters},
		{userPods, masters},
	} {
		token := make([]byte, 16)
		if _, err := rand.Read(token); err != nil {
			return nil, err
		}
		record := []string{hex.EncodeToString(token), user.name, user.name}
		if user.group != "" {
			record = append(record, user.group)
		}
		if err := writer.Write(record); err != nil {
			return nil, err
		}
	}
	writer.Flush()
	return content.Bytes(), writer.Error()
}

// tokens are those of the named users.
func (u users) tokens(names []string) map[string]string {
	some := map[string]string{}
	for _, name := range names {
		some[name] = u[name]
	}
	return some
}

// writeFile writes a private file in one step: a kill in the middle leaves no half of it.
func writeFile(file string, content []byte) error {
	half := file + ".new"
	if err := os.WriteFile(half, content, 0o600); err != nil {
		return err
	}
	return os.Rename(half, file)
}
