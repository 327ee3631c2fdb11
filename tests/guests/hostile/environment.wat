;; Prints the whole environment and all arguments, a line each.
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  ;; Prints what lies at 65536, NULs as line ends.
  (func $print (param $length i32) (local $at i32)
    (i32.store (i32.const 0) (i32.const 65536))
    (i32.store (i32.const 4) (local.get $length))
    (loop $more
      (if (i32.lt_u (local.get $at) (local.get $length))
        (then
          (if (i32.eqz (i32.load8_u offset=65536 (local.get $at)))
            (then (i32.store8 offset=65536 (local.get $at) (i32.const 10))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $more))))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (drop (call $env_sizes (i32.const 16) (i32.const 20)))
    (drop (call $env (i32.const 1024) (i32.const 65536)))
    (call $print (i32.load (i32.const 20)))
    (drop (call $args_sizes (i32.const 16) (i32.const 20)))
    (drop (call $args (i32.const 1024) (i32.const 65536)))
    (call $print (i32.load (i32.const 20)))))
