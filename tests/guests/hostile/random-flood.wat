;; Asks for 12 MiB of random bytes in one call, again and again: work of the host's that no tick interrupts.
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 200)
  (func (export "_start")
    (loop $again
      (drop (call $random (i32.const 0) (i32.const 12582912)))
      (br $again))))
