//go:build !windows

package exercise

// python is the name of its interpreter.
const python = "python3"
