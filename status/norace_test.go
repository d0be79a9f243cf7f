//go:build !race

package status

const stride = 1 // see race_test.go
