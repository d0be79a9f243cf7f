//go:build linux || darwin

package main

import "syscall"

// raiseFiles has the limit of open files raised to n, or as far as allowed, and returns what
// it is then. Processes that are started later have it too.
func raiseFiles(n uint64) uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return n
	}
	if limit.Cur >= n {
		return limit.Cur
	}
	wanted := syscall.Rlimit{Cur: n, Max: max(limit.Max, n)}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &wanted) == nil {
		return n
	}
	limit.Cur = min(n, limit.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
	return limit.Cur
}
