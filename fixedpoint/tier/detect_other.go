//go:build !amd64

package tier

func detect() Tier { return Portable }
