//go:build race

package status

// stride is how many bytes the tests that try a document at every byte go on at a time:
// the race detector makes each try ten times as slow, and finds nothing in the second
// that it has not found in the first.
const stride = 7
