//go:build !unix

package exec

import "os/exec"

// lead does nothing: there are no process groups here, and the command alone is
// ended.
func lead(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
