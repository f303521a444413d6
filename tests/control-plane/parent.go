package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// dieWithParent asks the kernel to kill this process when its parent dies, by whatever means.
// A parent that died before the call is noticed by its process id, when it is known.
func dieWithParent(expected int) error {
	if expected == 0 {
		expected = os.Getppid()
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	if os.Getppid() != expected {
		return errors.New("the parent process is gone; use --detach to run without one")
	}
	return nil
}
