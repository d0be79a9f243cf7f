//go:build !linux && !darwin

package main

// raiseFiles returns that n files may be open, for all that is known.
func raiseFiles(n uint64) uint64 { return n }
