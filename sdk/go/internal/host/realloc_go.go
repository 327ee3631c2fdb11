//go:build wasip1 && !tinygo

package host

import "unsafe"

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	return realloc(old, oldSize, align, size)
}
