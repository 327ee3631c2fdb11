//go:build wasip1 && tinygo

package host

import "unsafe"

// TinyGo stops whatever comes in through go:wasmexport before it has started, as the adapter of preview 1 does; and would run it in
// a goroutine of its own. What is exported in its own older way is called as it is.
//
//export cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	return realloc(old, oldSize, align, size)
}
